import sql_files

globals().update(sql_files.revision(__file__))
