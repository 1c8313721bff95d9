"""The exchange journal: what was asked, told and done, so that no entry can be changed unseen."""
