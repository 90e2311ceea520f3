// The editor of a cell: CodeMirror with what a few lines of Python need. esbuild makes one file of it,
// which the page loads when the reader begins to write.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { LanguageSupport, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, keymap } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

// { get, set, focus } of an editor that takes the place of `old`
export function edit(old, { text, label, changed, run }) {
  const pressed = (key) => ({ key, run: () => (run(), true) });
  const view = new EditorView({
    state: EditorState.create({
      doc: text,
      extensions: [
        history(), drawSelection(), bracketMatching(), indentOnInput(), indentUnit.of("    "),
        new LanguageSupport(pythonLanguage), syntaxHighlighting(classHighlighter),
        // Ctrl and Enter of the default map would open a line; Escape, then Tab leaves the editor
        keymap.of([pressed("Ctrl-Enter"), pressed("Mod-Enter"), ...historyKeymap, indentWithTab, ...defaultKeymap]),
        EditorView.editorAttributes.of({ class: "lab-editor" }),
        EditorView.contentAttributes.of({
          tabindex: "0", // it scrolls sideways
          "aria-label": label,
          "aria-description": "Control and Enter runs it. Escape, then Tab leaves it.",
        }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
      ],
    }),
  });
  old.replaceWith(view.dom);
  return {
    get: () => view.state.doc.toString(),
    set: (words) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: words } }),
    focus: () => view.focus(),
  };
}
