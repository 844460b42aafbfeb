print("document")
