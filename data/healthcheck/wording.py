"""What the columns of the demo study are called, in English and Chinese: the source of codebook.csv."""

from __future__ import annotations

from dataclasses import dataclass, field

from cxlab.simulate import STATIONS, TOUCHPOINTS, month_label

Text = tuple[str, str]  # English, Chinese
MISSING: dict[int, Text] = {
    97: ("not asked", "未询问"),
    98: ("not experienced", "未体验"),
    99: ("refused", "拒绝回答"),
}


@dataclass(frozen=True)
class Column:
    """One column of responses.sav."""

    label: Text
    values: dict[int, Text] = field(default_factory=dict)
    scale: tuple[int, int] | None = None
    higher_is_better: bool = True
    role: str = ""
    missing: bool = False
    measure: str = "scale"
    format: str = "F8.0"


TOUCHPOINT: dict[str, tuple[Text, str, Text]] = {  # label, stage, owner
    "booking": (("Booking", "预约"), "before", ("Contact centre", "客服中心")),
    "parking": (("Parking", "停车"), "before", ("Facilities", "后勤部")),
    "info": (("Preparation notes", "检前须知"), "before", ("Contact centre", "客服中心")),
    "reception": (("Reception", "前台接待"), "during", ("Front office", "前台")),
    "changing": (("Changing room", "更衣"), "during", ("Facilities", "后勤部")),
    "queue": (("Queueing", "排队等候"), "during", ("Operations", "运营部")),
    "nurse": (("Nurses", "护士"), "during", ("Nursing", "护理部")),
    "doctor": (("Doctors", "医生"), "during", ("Medical department", "医务部")),
    "equipment": (("Equipment", "设备"), "during", ("Medical technology", "设备科")),
    "meal": (("Meal", "餐食"), "during", ("Catering", "餐饮部")),
    "report": (("Report", "报告"), "after", ("Report centre", "总检中心")),
    "followup": (("Follow-up", "随访"), "after", ("Health management", "健康管理部")),
}
STAGE: dict[str, Text] = {
    "before": ("Before the visit", "检前"),
    "during": ("During the visit", "检中"),
    "after": ("After the visit", "检后"),
}
BLOCK = {
    **dict.fromkeys(("booking", "info", "nurse", "doctor", "report", "followup", "brand_image"), "value"),
    "price_fairness": "price",
    **dict.fromkeys(("parking", "reception", "changing", "queue", "equipment", "meal"), "sensory"),
    "noise": "none",
}
CARD: dict[int, Text] = {1: ("ordinary", "普卡"), 2: ("gold", "金卡"), 3: ("diamond", "钻卡")}
PAYER: dict[int, Text] = {1: ("self-paying", "个人自费"), 2: ("corporate", "单位付费")}
CLINIC: dict[int, Text] = dict(
    enumerate(
        [
            ("East Lake", "东湖店"), ("Riverside", "滨江店"), ("Park Avenue", "公园店"), ("Central", "中心店"),
            ("North Gate", "北门店"), ("Railway", "火车站店"), ("University", "大学城店"), ("Harbour", "港湾店"),
            ("Hillside", "南山店"), ("West Bridge", "西桥店"), ("Old Town", "老城店"), ("Science Park", "科技园店"),
        ],
        start=1,
    )
)  # fmt: skip
YES: dict[int, Text] = {0: ("no", "否"), 1: ("yes", "是")}
POOR: Text = ("very poor", "非常差")
EXCELLENT: Text = ("excellent", "非常好")


def _rating(label: Text, low: Text, high: Text, scale: tuple[int, int] = (0, 10), **more: object) -> Column:
    values = {scale[0]: low, scale[1]: high}
    return Column(label, values, scale, missing=True, measure="ordinal", **more)  # type: ignore[arg-type]


def _known(waves: int) -> dict[str, Column]:
    months = {w: (str(m), str(m)) for w, m in enumerate(month_label(range(1, waves + 1)), start=1)}
    return {
        "response_id": Column(("Interview", "问卷编号"), role="identifier", measure="nominal", format="A7"),
        "customer_id": Column(("Customer", "客户编号"), role="respondent", measure="nominal", format="A7"),
        "wave": Column(("Wave", "调查月份"), months, role="wave", measure="ordinal"),
        "visit": Column(("Visit of the customer (1st, 2nd, 3rd)", "第几次到检"), role="visit", measure="ordinal"),
        "visit_date": Column(("Date of the visit", "体检日期"), role="date", measure="nominal", format="A10"),
        "clinic": Column(("Clinic", "门店"), CLINIC, role="segment", measure="nominal"),
        "mode": Column(
            ("Interview mode", "填答方式"),
            {1: ("tablet in the clinic", "院内平板"), 2: ("mobile phone", "手机")},
            role="mode",
            measure="nominal",
        ),
        "card": Column(("Card", "会员卡"), CARD, role="segment, stratum", measure="ordinal"),
        "payer": Column(("Payer", "付费方"), PAYER, role="segment", measure="nominal"),
        "gender": Column(("Gender", "性别"), {1: ("male", "男"), 2: ("female", "女")}, role="segment", measure="nominal"),
        "age": Column(("Age, years", "年龄（岁）"), role="background"),
        "weight": Column(("Weight", "权重"), role="weight", format="F8.4"),
    }  # fmt: skip


def _touchpoints() -> dict[str, Column]:
    out: dict[str, Column] = {}
    for name in TOUCHPOINTS:
        out[name] = _rating(TOUCHPOINT[name][0], POOR, EXCELLENT, role="experience, driver")
    for name in TOUCHPOINTS:
        (en, zh), _, _ = TOUCHPOINT[name]
        out[f"{name}_expected"] = _rating((f"{en}: expected", f"{zh}（期望）"), POOR, EXCELLENT, role="expectation")
    for name in TOUCHPOINTS:
        (en, zh), _, _ = TOUCHPOINT[name]
        low, high = ("angry", "愤怒"), ("delighted", "惊喜")
        out[f"{name}_emotion"] = _rating((f"{en}: emotion", f"{zh}（情绪）"), low, high, (-5, 5), role="emotion")
    return out


def _overall() -> dict[str, Column]:
    no, fully = ("not at all", "完全不"), ("completely", "非常")
    never, surely = ("certainly not", "肯定不会"), ("certainly", "肯定会")
    minor, major = ("not important", "不重要"), ("very important", "非常重要")
    stated = {
        "product": ("examination items", "体检项目"), "service": ("service", "服务"),
        "relationship": ("relationship", "客户关系"), "convenience": ("convenience", "便利性"),
        "brand": ("brand image", "品牌形象"), "price": ("price", "价格"),
    }  # fmt: skip
    return {
        "satisfaction": _rating(
            ("Overall satisfaction", "总体满意度"),
            ("very dissatisfied", "非常不满意"), ("very satisfied", "非常满意"), role="outcome",
        ),
        "recommend": _rating(("Recommendation", "推荐意愿"), never, surely, role="outcome"),
        "effort": _rating(
            ("Customer effort", "费力程度"),
            ("very easy", "非常轻松"), ("very hard", "非常费力"), (1, 7), role="outcome", higher_is_better=False,
        ),
        "trust": _rating(("Trust in the clinic", "信任度"), no, fully, role="emotion layer"),
        "delight": _rating(("Delight", "愉悦感"), no, fully, role="emotion layer"),
        "repurchase": _rating(("Intention to come again", "再次购买意愿"), never, surely, role="outcome"),
        "remembered": _rating(("How the visit is remembered", "整体回忆评价"), POOR, EXCELLENT, role="memory"),
        "price_fairness": _rating(("Fairness of the price", "价格公道"), no, fully, role="driver"),
        "brand_image": _rating(("Brand image", "品牌形象"), POOR, EXCELLENT, role="driver"),
        "marker_blue": _rating(("Likes the colour blue", "喜欢蓝色"), no, fully, role="marker"),
        "switching_cost": _rating(
            ("How hard it would be to change the provider", "更换机构的难度"),
            ("very easy", "非常容易"), ("very hard", "非常困难"), role="switching cost", higher_is_better=False,
        ),
        **{
            f"stated_{k}": _rating((f"Stated importance: {en}", f"自述重要性：{zh}"), minor, major, role="stated weight")
            for k, (en, zh) in stated.items()
        },
        "noise": _rating(("Pure noise (control item)", "纯噪声（对照题）"), no, fully, role="driver"),
    }  # fmt: skip


def _behaviour() -> dict[str, Column]:
    def yes_no(en: str, zh: str, role: str, **more: bool) -> Column:
        return Column((en, zh), YES, role=role, measure="nominal", **more)  # type: ignore[arg-type]

    reasons = {
        1: ("knew no channel", "不知道向谁反映"), 2: ("not worth the trouble", "觉得不值得"),
        3: ("will change the provider", "打算换一家"),
    }  # fmt: skip
    return {
        **{
            f"{s}_order": Column(
                (f"{TOUCHPOINT[s][0][0]}: place in the visit", f"{TOUCHPOINT[s][0][1]}（到检顺序）"),
                role="order", measure="ordinal", missing=True,
            )
            for s in STATIONS
        },
        "queue_minutes": Column(("Perceived waiting time, minutes", "感知等候分钟数"), role="perceived queue"),
        "visit_minutes": Column(("Length of the visit, minutes", "到检停留分钟数"), role="length of visit"),
        "problem": yes_no("Had a problem", "是否遇到问题", "complaint"),
        "voiced": yes_no("Voiced the problem", "是否反映问题", "complaint"),
        "silent_reason": Column(("Why not voiced", "未反映的原因"), reasons, role="complaint", measure="nominal"),
        "resolved": yes_no("Resolved at first contact", "首次反映即解决", "complaint"),
        "price_offer": Column(("Surcharge offered, per cent", "加价比例（%）"), role="price choice"),
        "price_choice": yes_no("Would pay the surcharge for a better visit", "愿意加价换取更好体验", "price choice",
                               missing=True),
        "renewed": yes_no("Renewed within 12 months (customer records)", "12个月内续约（客户系统）", "behaviour"),
        "comment": Column(("Open answer", "开放式评论"), role="comment", measure="nominal", format="A255"),
    }  # fmt: skip


def columns(waves: int = 24) -> dict[str, Column]:
    """Every column of responses.sav, in file order."""
    return {**_known(waves), **_touchpoints(), **_overall(), **_behaviour()}
