"""The words by which items, segments and design columns give themselves away, in names and in labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


@dataclass(frozen=True)
class Words:
    """Patterns of a role: in names (``_`` and camelCase split into words first) and in labels."""

    name: re.Pattern[str]
    label: re.Pattern[str]


def spaced(name: str) -> str:
    """Split a column name into words: ``overallSat_2`` is ``overall sat 2``.

    Examples
    --------
    >>> spaced("overallSat_2"), spaced("Q5.price"), spaced("NPS")
    ('overall sat 2', 'q 5 price', 'nps')
    """
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])|[_.\W]+", " ", name)
    return " ".join(text.split()).casefold()


OUTCOMES: Mapping[str, Words] = {
    "recommend": Words(
        _words(r"\b(nps|ltr|recommend\w*|promote)\b|推荐"),
        _words(r"recommend|推荐|介绍给|recomend|recommand|empfehl"),
    ),
    "satisfaction": Words(
        _words(
            r"^(satisfaction|satisfied|overall sat\w*|sat\w* overall|o ?sat|c ?sat|sat|cust\w* sat\w*|gen\w* sat\w*)( score)?$"
            r"|^(总体|整体|综合)?满意度?$"
        ),
        _words(
            r"(overall|in general|all in all|everything considered|taken together).{0,60}satisf"
            r"|satisf.{0,60}(overall|in general|all in all|as a whole)"
            r"|(总体|整体|总的来说|综合来看|综合|全面).{0,20}满意|满意.{0,8}(总体|整体)"
            r"|insgesamt.{0,40}zufrieden|zufrieden.{0,40}insgesamt"
        ),
    ),
    "effort": Words(
        _words(r"\b(ces|effort)\b|费力|轻松"),
        _words(r"\beffort\b|how (easy|difficult)|easy (was|is) it|made it easy|费力|省力|轻松|是否容易"),
    ),
    "repurchase": Words(
        _words(
            r"\b(rebuy\w*|repurchase\w*|re purchase|buy again|purchase again|renew(al)?|renewal intent\w*|return intent\w*)\b"
            r"|\b(repeat|stay|continue|loyalty)( intent\w*)?$|回购|复购|续(费|订|约|保)"
        ),
        _words(
            r"(buy|purchase|book|order|use|visit|choose|come|shop|stay).{0,50}\bagain\b|repurchase|\brenew|"
            r"continue (using|to (use|buy|be))|remain a customer|再次(购买|光顾|选择|使用|预约|前来|消费|体检)|再来|还会(来|选择|购买)|"
            r"回购|复购|续(费|订|约|保)|继续(使用|购买|选择|订)"
        ),
    ),
}  # fmt: skip
SATISFIED = _words(r"satisf|满意|zufrieden")  # says satisfaction, of whatever
SATISFACTION_STEM = _words(r"^(cusa|csat|sat|satis\w*|满意度?)$")  # CUSA1, CUSA2, CUSA3
EASY = _words(r"\beas(y|e|ily)\b|轻松|容易|省力")  # agreement is good: the item is not about effort
DERIVED = _words(r"\b(group|grp|category|cat|class|segment|type|flag|top|box|t 2 b|top 2)\b|分组|类别|类型|分类")
# The European customer satisfaction index names its items so.
ECSI: Mapping[str, str] = {
    "imag": "image", "cuex": "expectation", "perq": "quality", "perv": "value", "cusa": "satisfaction", "cusl": "loyalty",
}  # fmt: skip

EXPECTATION = Words(_words(r"\b(expect\w*|cuex)\b|期望|预期"), _words(r"\bexpect(ed|ation)|期望|预期"))
EMOTION = Words(
    _words(r"\b(emotion\w*|feel\w*|mood)\b|情绪|情感"), _words(r"\b(emotion|how did you feel|feelings?)\b|情绪|心情")
)
IMPORTANCE = Words(_words(r"\b(importance|important|imp)\b|重要"), _words(r"\bimportan|重要"))
CONSEQUENCE = Words(
    _words(r"\b(trust|delight\w*|loyal\w*|cusl|remember\w*|cusco|complain\w*)\b|信任|惊喜|忠诚|记忆|投诉"),
    _words(r"\btrust\b|delighted|loyal|look(ing)? back|remember|complain|信任|惊喜|忠诚|回想|投诉"),
)
PRICE = Words(
    _words(r"\b(price\w*|pricing|(?<!switching )cost\w*|fees?|charges?|tariff|perv)\b|价格|收费|费用|性价比|资费"),
    _words(
        r"\b(prices?|pricing|costs?|fees?|charges?|expensive|affordable|value for (the )?money)\b|价格|价钱|收费|费用|性价比|资费"
    ),
)

WEIGHT = Words(
    _words(r"^(w|wt|wgt|wts|pweight|gewicht|ponder\w*)( \d+)?$|\bweight(s|ing|ed)?\b|权重|加权"),
    _words(r"\bweight(ing)?\b|权重|加权"),
)
BODY = _words(r"\b(kg|kilo|lbs?|pounds?|body|bmi)\b|体重|公斤")
WAVE = Words(
    _words(
        r"\b(waves?|months?|quarters?|period|weeks?|yyyymm|year ?month|round|welle)\b|波次|期次|月份|季度|批次|轮次|^(月|周|期)$"
    ),
    _words(
        r"\b(survey |interview )?(wave|month|quarter)( of (the )?(survey|interview|visit|fieldwork))?$|波次|期次|调查月份|月份|季度|批次"
    ),
)
TENURE = _words(
    r"\b(tenure|since|ago|age|birth|born|expiry|as customer|how (long|many)|number of)\b|多久|几个|生日|出生|多少"
)
RESPONDENT = Words(
    _words(
        r"\b(respondents?|response|resp|record|case|customer|client|participant|interview|serial|member|user|person|panel)"
        r" ?(id|no|nr|num|number|key|serial)\b|^(id|uid|uuid|caseid|respid|recordid|customerid|responseid|serial|resp)$"
        r"|编号|序号|客户号|会员号|卡号|答卷"
    ),
    _words(
        r"\b(respondent|response|record|case|customer|client|participant|interview) (id|number|no|key)\b|编号|序号|客户号|会员号"
    ),
)
STRATUM = Words(_words(r"\b(stratum|strata|strat|layer)\b|分层|^层$"), _words(r"\bstrat(um|a)\b|抽样层|分层"))
CLUSTER = Words(
    _words(r"\b(psu|cluster|primary sampling unit)\b|群组|抽样单元"),
    _words(r"primary sampling unit|\bcluster\b|抽样单元"),
)
DEMOGRAPHIC = _words(
    r"\b(gender|sex|age|age ?(group|band|class|cat)|region|city|province|state|country|district|area|urban|education|educ|income|"
    r"occupation|job|marital|card|tier|level|plan|payer|payment|membership|member type|channel|branch|store|shop|clinic|hotel|site|"
    r"location|outlet|mode|device|language|brand|product|segment|customer type|client type|industry|company size|geschlecht|alter)\b"
    r"|性别|年龄|地区|区域|城市|省份|学历|教育|收入|职业|行业|婚姻|会员|等级|卡类|卡种|渠道|门店|分店|网点|品牌|产品|客户类型|付款|支付|语言"
)
COMMENT = Words(
    _words(r"\b(comments?|verbatim\w*|open|opinion|suggest\w*|feedback|reason|why)\b|建议|意见|评论|留言|原因|开放"),
    _words(
        r"\b(comments?|in your own words|anything else|suggestions?|please (explain|describe|tell))\b|建议|意见|请说明|请描述|评论|留言|原因"
    ),
)

SCALE_WORDS = _words(
    r"satisf|agree|likely|good|poor|bad|excellent|fair|very|extremely|not at all|completely|always|never|worst|best|easy|difficult"
    r"|low|high|much|strongly|满意|同意|可能|不好|很好|好$|差|非常|一般|十分|完全|总是|从不|容易|困难|低|高|zufrieden|stimme|sehr|gut|schlecht"
)
PERSONS = _words(r"\b(respondent|customer|client|member|panel|participant|person)\b|客户|会员")
INTERVIEW_DATE = _words(
    r"\b(visit|interview|survey|start|started|end|record(ed)?|complet\w+|response|submit\w*|field) ?(date|time|day)\b"
    r"|^(date|datum|startdate|enddate|submitdate)$|(访问|调查|体检|就诊|填写|提交|到店|开始|结束)(日期|时间)|^日期$"
)
AGE = _words(r"^(age|alter|years of age|age years)$|^年龄$")


def says(words: Words, name: str, label: str) -> str:
    """Where a column gives itself away: ``"name"``, ``"label"`` or ``""``.

    Examples
    --------
    >>> says(PRICE, "price_fairness", ""), says(PRICE, "q7", "Price of the check-up"), says(PRICE, "q8", "Noise")
    ('name', 'label', '')
    """
    if words.name.search(spaced(name)):
        return "name"
    return "label" if label and words.label.search(label) else ""
