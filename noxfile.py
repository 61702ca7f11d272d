"""The checks of this project by name: `nox -s tests-3.13`, `nox -s lint types docs coverage mutation benchmarks`."""

from __future__ import annotations

import pathlib

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests, or those that the arguments name: `nox -s tests-3.13 -- -m "not slow"`."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Linter, formatter, and the layers."""
    session.install("-e", ".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """The package under mypy --strict."""
    session.install("-e", ".[test]")
    session.run("mypy")


@nox.session
def coverage(session: nox.Session) -> None:
    """The fast part with branch coverage; fails below the floor in pyproject.toml."""
    session.install("-e", ".[test]", "pytest-cov")
    session.run(
        "pytest", "-p", "pytest_cov", "-m", "not slow", "--cov", "--cov-report=term:skip-covered", *session.posargs
    )


@nox.session
def mutation(session: nox.Session) -> None:
    """Change the security-critical modules line by line (see [tool.mutmut]), and list what no test notices."""
    session.install("-e", ".[test]", "mutmut>=3.8")
    # the changed copy comes before the installed package; a folder that is not there yet would not be looked into
    pathlib.Path("mutants").mkdir(exist_ok=True)
    session.run("mutmut", "run", *session.posargs, env={"PYTHONPATH": str(pathlib.Path.cwd() / "mutants")})
    session.run("mutmut", "results")


@nox.session
def environments(session: nox.Session) -> None:
    """Walk through every environment of docs/environments.md; `-- --write` writes its table anew."""
    session.install("-e", ".[test,environments]")
    if "--write" in session.posargs:
        session.run("python", "docs/make_environments.py")
    else:
        session.run("pytest", "tests/environments", *session.posargs, env={"FLOWLET_ALL_ENVIRONMENTS": "1"})


@nox.session
def servers(session: nox.Session) -> None:
    """Walk through every authorization server of tests/interop.py, those that CI leaves out too; `-- --write`: the matrix."""
    session.install("-e", ".[test]")
    if "--write" in session.posargs:
        session.run("python", "docs/make_matrix.py")
    else:
        session.run(
            "pytest", "tests/oauth/test_interoperability.py", *session.posargs, env={"FLOWLET_ALL_SERVERS": "1"}
        )


@nox.session
def defences(session: nox.Session) -> None:
    """Remove each defence of tests/security/defences.toml in turn; fails if no test notices, or a text is gone."""
    session.install("-e", ".[test]")
    session.run("python", "tests/security/remove_defences.py", *(session.posargs or ["--write"]))


@nox.session
def security(session: nox.Session) -> None:
    """The security suites, and the table of what they tried in docs/security.md; `-- --long` tries more."""
    session.install("-e", ".[test]")
    session.run("python", "tests/security/report.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in docs/_build/html; a warning is an error."""
    session.install("-e", ".[docs]")
    session.run(
        "python", "-m", "sphinx", "-b", "html", "-W", "--keep-going", *session.posargs, "docs", "docs/_build/html"
    )


@nox.session
def benchmarks(session: nox.Session) -> None:
    """The figures of docs/benchmarks.md."""
    session.install("-e", ".[test,benchmarks]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities among the installed dependencies, and a bill of materials (CycloneDX)."""
    session.install(".", "pip-audit", "cyclonedx-bom")
    session.run("pip-audit", "--skip-editable")
    pathlib.Path("sbom").mkdir(exist_ok=True)
    session.run("cyclonedx-py", "environment", "--output-file", "sbom/sbom.cdx.json")
