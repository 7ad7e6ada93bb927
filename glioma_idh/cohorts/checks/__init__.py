"""Checks of the images of a cohort.

rows      one image: its row in the table of checks, and its problems
copies    the same image under two names, and file names that contradict their column
images    all images of a cohort
tiles     small pictures of each subject for the contact sheet
summary   the result as text
"""
