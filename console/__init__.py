"""The console: a page for the people who run the backend. It talks to the database only.

Adding a page, with `console/pages/stations.py` as the model:

1. `console/pages/NAME.py` has a `router`: a GET that reads and renders, and a POST to the same address that acts. Name
   it in `PAGES` of console/app.py, and in `LINKS` of console/layout.py if it shall be in the navigation.
2. A route asks for `Viewer`, `Operator` or `Admin`, each a `Visit` (console/visit.py) of a signed-in person who may do
   at least that. It has `query` and `form` (never read them elsewhere: these refuse what PostgreSQL can't store), and:
   `async with visit.reading() as connection`     READ ONLY, as signum_reader, 5 s for a statement
   `async with visit.acting() as connection`      as signum_operator, 60 s; half of the connections at most
   `visit.render("NAME.html", …)`                 the page
   `await visit.write_act(connection, …)`         the act's row, in the act's transaction; returns the notice
   `visit.done(notice)`                           303 to the same address, with the notice above the page
3. `console/templates/NAME.html` extends layout.html. Each form begins with `{{ token() }}`: a POST without it, or from
   another origin, is refused before the route is reached. No inline style or script. Times: `{{ ago(time) }}`, numbers:
   `{{ number|number }}`, addresses: `url("/path")`.
4. Sentences are written in English, `_("…")` in templates, `N_("…")` and `visit.say` in Python, with named places:
   `_("%(name)s is away", name=…)`. `N_("revoked")` names a word of the database that a
   template shows by `_(row.state)`. `console/locale/{fi,sv}/NAME.po` have the translations; tests say what is missing.
5. `tests/console/test_NAME.py` asks the page over HTTP: fixtures of tests/fix_console.py. Who may do what is tested for
   each route there is, by itself, in tests/console/test_rights.py.
"""
