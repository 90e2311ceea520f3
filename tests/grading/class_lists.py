"""Class lists as Canvas and Moodle export them."""

CANVAS_ROSTER = (
    "Student,ID,SIS User ID,SIS Login ID,Section,02_cell (555)\n"
    '"    Points Possible",,,,,60\n'
    '"Lovelace, Ada",1001,s-1,ada,Monday,\n'
    '"=Byron, Ben",1002,s-2,ben@uni.edu,Monday,\n'
)
MOODLE_ROSTER = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade)\n"
    "Participant 9001,Ada Lovelace,ada@uni.edu,Submitted,,60.00,Yes,"
    '"Friday, 20 November 2026, 11:30 AM",-\n'
    "Participant 9002,Ben Byron,ben@uni.edu,No submission,,60.00,Yes,-,-\n"
)
