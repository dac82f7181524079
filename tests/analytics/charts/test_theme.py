import plotly.io as pio
import pytest

from ctm_analytics.charts import CONFIG, cac_by_ad
from ctm_analytics.charts.theme import ORDER, RENDERERS


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#1b1f24"])
@pytest.mark.parametrize("colour", ORDER)
def test_every_line_colour_stands_out_on_light_and_dark(colour, background):
    assert contrast(colour, background) >= 3


def test_no_figure_offers_to_send_its_data_to_a_cloud(ads):
    pio.renderers["notebook"].config = {}
    cac_by_ad(ads({}))
    assert (CONFIG["showSendToCloud"], CONFIG["plotlyServerURL"], CONFIG["displaylogo"]) == (False, "", False)
    for name in RENDERERS:
        assert pio.renderers[name].config == CONFIG


def test_a_figure_that_a_notebook_shows_carries_that_configuration(ads):
    bundle = pio.renderers["plotly_mimetype"].to_mimebundle(cac_by_ad(ads({})).to_dict())
    assert bundle["application/vnd.plotly.v1+json"]["config"]["showSendToCloud"] is False
