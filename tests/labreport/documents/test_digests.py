"""What counts of the code and results that paragraphs are about."""

import ast

import pinned
import projects
import pytest

from labreport.documents import digests
from labreport.documents.digests import Digests
from labreport.errors import ExperimentError, InputError


@pytest.fixture
def project(tmp_path):
    return pinned.make(tmp_path)


def digest(project, target):
    return Digests(project).of(target)


class TestCode:
    @pytest.mark.parametrize(
        ("target", "old", "new"),
        [
            ("training:fit", "# scaled", "# scaled by the rate"),
            ("training:fit", '"""Return the sum."""', '"""Return what comes out."""'),
            ("training:fit", '    """Return the sum."""\n', ""),
            ("training:fit", "total(data) * RATE", "(total(data)\n            * RATE)"),
            ("training:fit", "RATE = 0.1", "RATE = 0.2"),
            ("training:fit", "return sum(data)", "return sum(reversed(data))"),
            ("training:fit", "class Net:", "class Network:"),
            ("training:Net", '    """A network."""\n', ""),
            ("training:Net.forward", '    """A network."""\n', "    bias = 1\n"),
        ],
    )
    def test_comments_docstrings_layout_and_other_code_do_not_count(self, project, target, old, new):
        before = digest(project, target)
        pinned.change_code(project, old, new)
        assert digest(project, target) == before

    @pytest.mark.parametrize(
        ("target", "old", "new"),
        [
            ("training:fit", "* RATE", "* RATE * 1"),
            ("training:fit", "fit(data)", "fit(data, rate=RATE)"),
            ("training:fit", "def fit", "@staticmethod\ndef fit"),
            ("training:RATE", "RATE = 0.1", "RATE = 0.10000000001"),
            ("training:Net", "return x + 1", "return x + 1.0"),
            ("training:Net.forward", "return x + 1", "return x + None"),
            ("training:Net", "def forward(self, x)", "def forward(self, x=None)"),
        ],
    )
    def test_what_the_symbol_says_counts(self, project, target, old, new):
        before = digest(project, target)
        pinned.change_code(project, old, new)
        assert digest(project, target) != before

    def test_defaults_of_parameters_count_where_a_paragraph_is_about_them(self, project):
        before = digest(project, "experiments.exp:Params")
        projects.change(project.experiments / "exp.py", "mean: float = 0.25", "mean: float = 0.5")
        assert digest(project, "experiments.exp:Params") != before

    def test_it_is_the_same_however_a_version_of_python_describes_a_tree(self):
        tree = ast.parse("def f(x, *, y=1): return [x, y, None, u'a']")
        later = ast.parse("def f(x, *, y=1): return [x, y, None, 'a']")
        function = later.body[0]
        function.type_params = []  # Python 3.12
        function.type_comment = None
        function._fields = (*type(function)._fields, "type_params", "later")
        function.later = None
        assert ast.dump(tree) != ast.dump(later)
        assert digests._form(tree) == digests._form(later)


class TestResults:
    @pytest.mark.parametrize(
        "target",
        ["exp", "exp.values", "exp.values.loss", "exp.values.loss.mean", "exp.params", "exp.params.mean"],
    )
    def test_a_value_counts_for_all_keys_above_it(self, project, target):
        before = digest(project, target)
        projects.change(project.experiments / "exp.py", "mean: float = 0.25", "mean: float = 0.5")
        projects.run(project)
        assert digest(project, target) != before

    @pytest.mark.parametrize(
        "target", ["exp.values.shape", "exp.values.shape[1]", 'exp.values["odd key"]', "exp.params.seed"]
    )
    def test_other_values_do_not_count(self, project, target):
        before = digest(project, target)
        projects.change(project.experiments / "exp.py", "mean: float = 0.25", "mean: float = 0.5")
        projects.run(project)
        assert digest(project, target) == before

    @pytest.mark.parametrize(("mean", "same"), [("0.2500001", True), ("0.250001", False)])
    def test_six_significant_digits_count(self, project, mean, same):
        before = digest(project, "exp.values.loss")
        projects.change(project.experiments / "exp.py", "mean: float = 0.25", f"mean: float = {mean}")
        projects.run(project)
        assert (digest(project, "exp.values.loss") == before) is same

    def test_tables_count(self, tmp_path):
        table = 'pd.DataFrame({"a": [1.0, params.mean]})'
        experiment = pinned.EXPERIMENT.replace('{"loss"', f'{{"rows": {table}, "loss"')
        experiment = experiment.replace("from dataclasses", "import pandas as pd\nfrom dataclasses", 1)
        project = pinned.make(tmp_path, experiment=experiment)
        first, second = (digest(project, f"exp.tables.rows[{i}].a") for i in (0, 1))
        projects.change(project.experiments / "exp.py", "mean: float = 0.25", "mean: float = 0.5")
        projects.run(project)
        assert digest(project, "exp.tables.rows[0].a") == first
        assert digest(project, "exp.tables.rows[1].a") != second

    def test_a_result_that_is_not_there_is_an_error(self, project):
        (project.results / "exp" / "result.json").unlink()
        with pytest.raises(ExperimentError, match="no result for 'exp'"):
            digest(project, "exp.params")


class TestMemory:
    def test_what_did_not_change_is_not_read_again(self, project, monkeypatch):
        targets = ["training:fit", "exp.values.loss"]
        before = Digests(project)
        found = [before.of(target) for target in targets]
        before.save()
        monkeypatch.setattr(digests, "_code_digest", None)
        monkeypatch.setattr(digests.results, "load", None)
        assert [Digests(project).of(target) for target in targets] == found

    def test_a_name_that_goes_is_missed_whatever_was_remembered(self, project):
        before = Digests(project)
        before.of("training:fit")
        before.save()
        pinned.change_code(project, "def fit", "def train")
        with pytest.raises(InputError, match="no 'fit'"):
            digest(project, "training:fit")


@pytest.mark.parametrize(
    ("target", "is_code"),
    [("a.b:c", True), ("a:b.c", True), ("a.values", False), ('a.values["b:c"]', False)],
)
def test_a_colon_outside_of_quotes_tells_code(target, is_code):
    assert digests.is_code(target) is is_code
