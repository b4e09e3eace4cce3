"""The command `goldfleet`: a verb writes a setting, then runs the program; one file a verb in `verbs/`.

Exit codes: 0 done, 1 failed, 2 wrong usage or wrong setting, 130 interrupted.
"""
