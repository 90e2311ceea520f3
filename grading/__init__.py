"""Marks notebooks safely, fast, and on more than one machine: a plug-in for nbgrader.

Each room imports only what stands below it:

    __main__    the command
    plugin      what is exchanged inside nbgrader
    results     what goes back: feedback, tables, the report
    classroom   a class and its records: collecting, batches, the log, the gradebook
    marking     what decides a mark
    sandbox     where a submission runs; of it, only `inside` enters the box
"""
