# SPDX-License-Identifier: GPL-2.0
"""ci-steps.py FILE JOB [NAME=VALUE...]: prints a script that does what a CI system would do for JOB
of FILE, a workflow of GitHub in /src or a file of GitLab: each step in order, in a shell of its own.
At its end, also after a failure, it prints which artifacts there are. NAME=VALUE is a variable of the
matrix, or replaces an input of the local action. Actions of others, which only the runner has, are
skipped. Runs in the build root, with the layer schema."""

import re
import sys
from shlex import quote

from ruamel.yaml import YAML


def load(file):
    with open(f"/jitasklet/{file}", encoding="utf-8") as text:
        return YAML(typ="safe").load(text)


def evaluate(text, context):
    """Replaces ${{ NAME }}, for the contexts that the files here use. The repository has no vars."""
    return re.sub(
        r"\$\{\{ *(?:vars\.\w+|([\w.-]+)) *\}\}",
        lambda m: str(context[m.group(1)]) if m.group(1) else "",
        str(text),
    )


class Script:
    """The steps, and the artifacts, which must be known before a step fails."""

    def __init__(self):
        self.lines = []
        self.artifacts = []

    def says(self, text):
        self.lines.append(f"echo {quote('## ' + text)}")

    def run(self, name, text, shell, env):
        self.says(name)
        words = [quote(f"{key}={value}") for key, value in env.items()]
        self.lines.append(" ".join(["env", *words, shell, quote(text)]))
        self.lines.append('. "$GITHUB_ENV"')

    def print(self):
        # A runner takes what steps write there for those that follow.
        print("set -a -e\nGITHUB_ENV=$(mktemp) GITHUB_OUTPUT=$(mktemp)")
        globs = " ".join(self.artifacts)
        print(f"trap 'ls -d {globs} 2>/dev/null | sed \"s/^/artifact: /\"' EXIT")
        print("\n".join(self.lines))


def github_steps(script, steps, context):
    # As the runner calls its shells.
    shells = {"bash": "bash --noprofile --norc -eo pipefail -c", "": "bash -e -c"}
    for step in steps:
        uses = step.get("uses", "")
        inputs = {k: evaluate(v, context) for k, v in step.get("with", {}).items()}
        if uses == "./":
            action = load("action.yml")
            values = {k: v.get("default", "") for k, v in action["inputs"].items()}
            values.update(inputs)
            values.update({k: v for k, v in given.items() if k in values})
            values = {f"inputs.{k}": v for k, v in values.items()}
            github_steps(script, action["runs"]["steps"], {**context, **values})
        elif uses:
            script.says("the runner has " + uses)
            if uses.startswith("actions/upload-artifact@"):
                script.artifacts += inputs["path"].split()
        else:
            env = {k: evaluate(v, context) for k, v in step.get("env", {}).items()}
            text = evaluate(step["run"], context)
            script.run(step["name"], text, shells[step.get("shell", "")], env)


def github(script, job):
    context = {
        "github.action_path": "/src",
        "github.run_attempt": 1,
        "strategy.job-index": 0,
        "steps.cache.outputs.week": "",
        "env.JIT_CACHE": "",
    }
    context.update({f"matrix.{key}": value for key, value in given.items()})
    github_steps(script, job["steps"], context)


def gitlab(script, file, job):
    for key, value in {**file["variables"], **given}.items():
        script.lines.append(f'{key}="{value}"')
    lines = job.get("before_script", []) + job["script"]
    script.run("script", "\n".join(lines), "bash -eo pipefail -c", {})
    script.artifacts = job["artifacts"]["paths"]
    script.artifacts.append(job["artifacts"]["reports"]["junit"])


path, name, *words = sys.argv[1:]
given = dict(word.split("=", 1) for word in words)
content = load(path)
steps = Script()
if "jobs" in content:
    github(steps, content["jobs"][name])
else:
    gitlab(steps, content, content[name])
steps.print()
