"""Checks of a cohort before it is used.

rows      one image: its row in the table of checks, and its problems
copies    images that belong to another subject, according to the file name or the voxels
images    all images of a cohort
tiles     thumbnails of each subject for the contact sheet
summary   the text summary of a cohort
"""
