"""What must be true of a run that has arrived at a server."""


def assert_arrived(server, log):
    """What the server has of a run is what its local log says."""
    run = server.runs[log.id]
    assert run.values == log.config
    assert run.logged == log.rows
    assert (run.name, run.group, run.sweep) == (log.name, log.group, log.sweep)
    assert (run.exit_code, run.state) == (log.exit_code, "finished" if log.exit_code == 0 else "failed")
    arrived = {key: value for key, value in run.summary.items() if not key.startswith("_")}
    boundary = arrived.pop("boundary", {})
    assert arrived | {f"boundary.{key}": value for key, value in boundary.items()} == log.summary
