from __future__ import annotations

import pytest

from resnet_demo.errors import SettingError
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.parsing import parse_link


@pytest.mark.parametrize("second", ["", "resnet20-cifar10"])
@pytest.mark.parametrize("asked", [{"of": "1"}, {"show": "first"}, {"show": "second"}, {"show": "neither"}])
def test_a_network_beside_itself_is_no_second_network(second: str, asked: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="no second network"):
        parse_link(EvaluateRequest, {"model": "resnet20-cifar10", "second": second, **asked})
    assert parse_link(EvaluateRequest, {"second": "resnet20-cifar10"}).models == ("resnet20-cifar10",)
