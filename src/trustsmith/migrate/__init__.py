"""Off client secrets, the pure part: every use of a long-lived Azure credential in a repository's workflows.

::

    repository (workflows, actions, scripts)
       │ spots: each text, with its job and step
       ▼
    checks_values · checks_commands ──▶ hits: what is surely a credential
                                          │ trace: which secrets it comes from, and through what
                                          ▼
                                        scan ──▶ uses ──▶ listing

`patterns` is the table of kinds; `names` is what names of secrets and variables say; `expressions` and `shell` read
GitHub's and shells' languages as far as needed. Must not read files, contact anything, or hold a secret's value.
"""
