"""A server on the loopback interface that the real wandb client can talk to.

It knows what wandb 0.31 asks for runs, artifacts, `wandb sync`, `wandb sweep` and `wandb agent`, keeps all
that it is sent, and notes in `unknown` what it does not know. It shows what the client sends; it does not
show that the service of W&B takes it, for it checks no schema.

    with WandbServer() as server:
        ...  # WANDB_BASE_URL=server.url, WANDB_API_KEY=server.key
    assert server.runs["abc"].rows == [...] and server.unknown == []
"""

import base64
import json
import multiprocessing
import random
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import yaml

ENTITY = "tester"


@dataclass
class Run:
    """What has arrived of a run; `config` holds entries {"value": ...}, `rows` the history."""

    id: str
    project: str
    config: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)
    summary: dict = field(default_factory=dict)
    state: str = "running"
    exit_code: int | None = None
    name: str = ""
    group: str = ""
    sweep: str = ""
    host: str = ""
    files: dict = field(default_factory=dict)

    @property
    def values(self):
        """The config as it was given."""
        return {key: entry["value"] for key, entry in self.config.items() if key != "_wandb"}

    @property
    def logged(self):
        """The rows as they were given, but for the keys of nested values, joined by dots."""
        return [_flat({k: v for k, v in row.items() if not k.startswith("_")}) for row in self.rows]


@dataclass
class Sweep:
    """A sweep: the random search of its file, until its run_cap."""

    id: str
    project: str
    text: str = ""
    definition: dict = field(default_factory=dict)
    runs: list = field(default_factory=list)
    state: str = "RUNNING"


class WandbServer:
    """The server and what it knows; a method for each GraphQL operation, of the same name.

    `silence()` lets it accept connections and never answer again.
    """

    key = "local" + 40 * "0"

    def __init__(self):
        self.runs = {}
        self.sweeps = {}
        self.agents = {}
        self.artifacts = {}
        self.operations = []
        self.unknown = []
        self.stopped = set()  # runs that an agent shall end
        self.random = random.Random(0)
        self._lock = threading.RLock()
        self._silent = multiprocessing.get_context("fork").Event()  # also a forked process may silence it
        self._closed = threading.Event()
        handler = type("Handler", (_Handler,), {"wandb": self})
        self._server = _Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self):
        """What a client needs to know."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.key}

    def silence(self):
        """Answer nothing any more."""
        self._silent.set()

    def wait_if_silent(self):
        """Hold a request as long as the server is silent, and say whether it was."""
        if self._silent.is_set():
            self._closed.wait()
            return True
        return False

    # ---- GraphQL

    def graphql(self, query, variables):
        """Return the answer to a query, by its operation's method."""
        named = re.search(r"\b(?:query|mutation)\s+(\w+)", query)
        operation = named[1] if named else " ".join(query.split())[:200]
        method = getattr(self, operation, None) if operation[:1].isupper() else None
        with self._lock:
            self.operations.append(operation)
            if method is None:
                self.unknown.append(f"{operation}: {' '.join(query.split())} {json.dumps(variables)}"[:3000])
                return {"data": None, "errors": [{"message": f"unknown operation {operation}"}]}
            return {"data": method(variables)}

    def Viewer(self, _):
        """Who has the key."""
        viewer = {"id": "1", "entity": ENTITY, "username": ENTITY, "email": "", "admin": False, "flags": "{}"}
        return {"viewer": {**viewer, "name": ENTITY, "teams": {"edges": []}, "apiKeys": {"edges": []}}}

    def ServerFeaturesQuery(self, _):
        """No optional features."""
        return {"serverInfo": {"features": []}}

    def UpsertBucket(self, v):
        """Begin a run, or change it; its id is its name or, in a change, encoded in the bucket's id."""
        name = v.get("name") or _decoded(v["id"])
        run = self.run(v.get("project"), name)
        run.config |= json.loads(v.get("config") or "{}")
        for key, attribute in {
            "displayName": "name",
            "groupName": "group",
            "sweep": "sweep",
            "host": "host",
        }.items():
            if v.get(key):
                setattr(run, attribute, v[key])
        if v.get("state"):
            run.state = v["state"]
        bucket = {"id": _encoded(name), "name": name, "displayName": run.name, "description": None}
        project = {"id": "1", "name": run.project, "entity": {"id": "1", "name": ENTITY}}
        more = {
            "config": json.dumps(run.config),
            "sweepName": run.sweep or None,
            "historyLineCount": len(run.rows),
        }
        return {"upsertBucket": {"bucket": {**bucket, **more, "project": project}, "inserted": True}}

    def CreateRunFiles(self, v):
        """Where to put the files of a run."""
        run = self.run(v["project"], v["run"])
        files = [{"name": name, "uploadUrl": f"{self.url}/upload/{run.id}/{name}"} for name in v["files"]]
        return {"createRunFiles": {"runID": _encoded(run.id), "uploadHeaders": [], "files": files}}

    # ---- artifacts

    def ArtifactType(self, _):
        """No artifact is known before it is created."""
        return {"project": {"artifact": None}}

    def CreateArtifact(self, v):
        """Begin an artifact."""
        name = v["input"]["artifactCollectionName"]
        artifact = {"id": name, "state": "PENDING", "artifactSequence": {"id": name, "latestArtifact": None}}
        return {"createArtifact": {"artifact": artifact}}

    def CreateArtifactManifest(self, v):
        """Where to put the list of an artifact's files."""
        return {"createArtifactManifest": {"artifactManifest": self._manifest(v["artifactID"], v["name"])}}

    def CreateArtifactFiles(self, v):
        """Where to put the files of an artifact."""
        nodes = []
        for file in v["input"]["artifactFiles"]:
            path = f"{file['artifactID']}/{file['name']}"
            upload = {"uploadUrl": f"{self.url}/upload/artifact/{path}", "uploadHeaders": []}
            more = {"storagePath": path, "uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]}}
            nodes.append({"node": {**upload, **more}})
        return {"createArtifactFiles": {"files": {"edges": nodes}}}

    def CommitArtifact(self, v):
        """End an artifact."""
        return {"commitArtifact": {"artifact": {"id": v["artifactID"], "digest": ""}}}

    def _manifest(self, artifact, name):
        upload = {"uploadUrl": f"{self.url}/upload/artifact/{artifact}/{name}", "uploadHeaders": []}
        return {"id": artifact, "file": {"id": artifact, "name": name, **upload}}

    # ---- sweeps

    def UpsertSweep(self, v):
        """Create a sweep from its file, or set its state."""
        sweep_id = _decoded(v["id"]) if v.get("id") else f"sweep{len(self.sweeps)}"
        sweep = self.sweeps.setdefault(sweep_id, Sweep(sweep_id, v.get("projectName") or "uncategorized"))
        if v.get("config"):
            sweep.text, sweep.definition = v["config"], yaml.safe_load(v["config"])
        sweep.state = v.get("state") or sweep.state
        project = {"id": "1", "name": sweep.project, "entity": {"id": "1", "name": ENTITY}}
        return {
            "upsertSweep": {"sweep": {"name": sweep.id, "project": project}, "configValidationWarnings": []}
        }

    def SweepWithRuns(self, v):
        """What an agent asks of a sweep before it begins."""
        sweep = self.sweeps.get(v.get("sweep") or v.get("name"))
        if sweep is None:
            return {"project": {"sweep": None}}
        shown = {"id": _encoded(sweep.id), "name": sweep.id, "displayName": sweep.id, "state": sweep.state}
        shown |= {"method": sweep.definition["method"], "config": sweep.text, "runs": {"edges": []}}
        shown |= dict.fromkeys(
            ("description", "bestLoss", "controller", "scheduler", "createdAt", "heartbeatAt")
        )
        return {"project": {"sweep": {**shown, "updatedAt": None, "earlyStopJobRunning": False}}}

    def CreateAgent(self, v):
        """Let an agent take part in a sweep."""
        agent = f"agent{len(self.agents)}"
        self.agents[agent] = self.sweeps[v["sweep"]]
        return {"createAgent": {"agent": {"id": agent}}}

    def Heartbeat(self, v):
        """Tell an agent what to do: stop a run, start another, or leave."""
        sweep = self.agents[v["id"]]
        running = [run for run, going in json.loads(v["runState"]).items() if going]
        commands = [{"id": run, "type": "stop", "run_id": run} for run in running if run in self.stopped]
        if not running:
            commands.append(self._next(sweep))
        return {"agentHeartbeat": {"agent": {"id": v["id"]}, "commands": json.dumps(commands)}}

    def _next(self, sweep):
        if sweep.state in ("FINISHED", "STOPPED") or len(sweep.runs) >= sweep.definition.get("run_cap", 1000):
            sweep.state = "FINISHED"
            return {"id": "exit", "type": "exit"}
        name = f"{sweep.id}-run{len(sweep.runs)}"
        sweep.runs.append(name)
        run = self.run(sweep.project, name)
        run.sweep, run.state = sweep.id, "pending"
        parameters = {
            key: {"value": self._drawn(entry)} for key, entry in sweep.definition["parameters"].items()
        }
        program = sweep.definition.get("program")
        return {"id": name, "type": "run", "run_id": name, "program": program, "args": parameters}

    def _drawn(self, parameter):
        """Draw a value of a parameter as its entry says."""
        if "value" in parameter:
            return parameter["value"]
        if "values" in parameter:
            return self.random.choice(parameter["values"])
        low, high = parameter["min"], parameter["max"]
        if parameter.get("distribution", "").startswith("log_uniform"):
            return low * (high / low) ** self.random.random()
        whole = isinstance(low, int) and isinstance(high, int) and parameter.get("distribution") != "uniform"
        return self.random.randint(low, high) if whole else self.random.uniform(low, high)

    # ---- what is kept

    def run(self, project, name):
        """Return a run, new or known."""
        return self.runs.setdefault(name, Run(name, project or "uncategorized"))

    def stream(self, name, sent):
        """Take rows and summary of a run, and its end."""
        with self._lock:
            run = self.runs[name]
            for file, part in (sent.get("files") or {}).items():
                if file == "wandb-history.jsonl":
                    run.rows[part["offset"] :] = [json.loads(line) for line in part["content"]]
                elif file == "wandb-summary.json":
                    run.summary = json.loads(part["content"][-1])
            if sent.get("complete"):
                run.exit_code = sent["exitcode"]
                run.state = "finished" if run.exit_code == 0 else "failed"
            return {"stopped": name in self.stopped, "limits": {}}

    def upload(self, path, content):
        """Take a file: of a run, or of an artifact."""
        with self._lock:
            kind, _, name = path.partition("/")
            if kind == "artifact":
                self.artifacts[name] = content
            else:
                self.runs[kind].files[name] = content


class _Quiet(ThreadingHTTPServer):
    """Threads end with the server; connections that a client gives up are nothing to print."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass


class _Handler(BaseHTTPRequestHandler):
    """HTTP around the server."""

    protocol_version = "HTTP/1.1"
    wandb: WandbServer

    def answer(self):
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.wandb.wait_if_silent():
            self.close_connection = True
            return
        path = unquote(self.path)
        if path == "/graphql":
            sent = json.loads(content)
            self.reply(self.wandb.graphql(sent["query"], sent.get("variables") or {}))
        elif stream := re.fullmatch(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", path):
            self.reply(self.wandb.stream(stream[1], json.loads(content)))
        elif path.startswith("/upload/"):
            self.wandb.upload(path.removeprefix("/upload/"), content)
            self.reply({})
        else:
            self.wandb.unknown.append(f"{self.command} {path}")
            self.reply({}, 404)

    do_GET = do_POST = do_PUT = answer

    def reply(self, value, status=200):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def _flat(values, prefix=""):
    flat = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _encoded(name):
    return base64.b64encode(f"Run:v1:{name}".encode()).decode()


def _decoded(identifier):
    try:
        return base64.b64decode(identifier, validate=True).decode().rpartition(":")[2]
    except ValueError:
        return identifier


def wait_until(condition, seconds=30):
    """Wait until a condition holds; fail where it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)
