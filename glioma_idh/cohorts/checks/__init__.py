"""A look at a cohort before anything is made of it.

rows      one image: its row in the table of checks, and what is wrong with it
copies    whose an image is, by the name of its file and by its voxels
images    every image of a cohort
tiles     each subject in small pictures, for the contact sheet
summary   who and what is there, in words
"""
