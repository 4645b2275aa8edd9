"""The flows: each puts steps in order, and nothing else; talks to listeners that it is handed."""
