"""Keyless deployment from GitHub Actions to Microsoft Foundry: two states, one plan.

::

    you                    .github/trustsmith.yml                     the world
     │                              │                  Entra/Graph   ARM   GitHub   checkout
     ▼                              ▼                       └─────┬────┴──┬───┴───────┘
   ┌────────┐  Config   ┌──────────────────┐                 read │       ▲ write
   │ wizard │──────────▶│ configfile       │                ┌─────▼───────┴─────┐
   └────────┘           └────────┬─────────┘                │ systems/  Reader  │
                                 ▼ Config, Facts            │           Writer  │
                        ┌──────────────────┐                │   over clients/   │
                        │ desire + render  │                └─┬───────────▲─────┘
                        └────────┬─────────┘      live        │           │ Change, by
                          wanted │ State          State       │           │ dependency
                                 ▼                  │         │           │
                        ┌──────────────────┐◀───────┴─────────┘       ┌───┴───┐
                        │ diff             │                          │ apply │
                        └────────┬─────────┘                          └───┬───┘
                                 ▼ Plan                                   ▲
                        ┌──────────────────┐   Plan, and a yes            │ Outcome…
                        │ hazards          │──────────────────────────────┤
                        └────────┬─────────┘                              ▼
                                 └── refuse        doctor · verify · explain
                                                          └ Finding… ▶ ui: text json md

Arrows go right and down; the only way back is *read*. There is no state file: what is there is found by natural keys
and by our marks, so the next run looks again. Import directions, enforced in CI:

``cli → flows → (wizard | ui) → (verify | apply) → systems → clients → (configfile | workflowfile | render) → rewrite → (migrate |
hazards | doctor | explain) → grants → (diff | desire) → model → regenerate → generated → (errors | aadsts)``

* ``model`` and what works on it (``desire diff grants hazards doctor explain migrate rewrite``) are pure: no I/O, no SDK, no
  click. So is ``regenerate``, which says what becomes of a generated file that somebody has edited.
* ``grants`` (what the jobs do, against the roles of the file) only advises: every plan shows it.
* ``doctor`` (what would make a set-up fail), ``verify`` (what is live, and what jobs could do) and ``explain`` (a job's
  failed sign-in) judge what ``flows`` gathers for them. ``setup`` and ``apply`` run the checks of ``doctor`` that stand in
  their plan's way before its first change.
* ``migrate`` finds long-lived credentials in workflows, which ``workflowfile`` reads with the places of every text, and says
  what is proven without them and what may go; ``rewrite`` edits those texts, or takes its edits back, and never writes one
  anew from a tree. Expansions and contractions are plans, which the same ``apply`` carries out.
* what ``verify --run`` has a job do is ``templates/probe.py``: it stands in the rendered workflow ``check-trust``, and runs
  without this package.
* SDKs and HTTP live in ``clients`` only, and are imported when they are first used.
* planning code is handed Readers, so it cannot write; only ``apply`` is handed Writers.
* ``ui.console`` is the only module that prints; ``cli`` turns errors into exit codes, once.
"""

__version__ = "0.1.0"
