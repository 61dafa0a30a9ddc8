"""What happens to a file on the way in, in words."""

from __future__ import annotations

from collections.abc import Mapping

from cxlab import spss

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    **spss.NOTES,
    "undeclared": {
        "en": "Code {code} is labelled {label!s} but not declared missing, so it counts as an answer: {items}. "
        "If it is none, pass missing={{{code}: '{reason}'}}.",
        "zh": "编码 {code} 的标签是“{label!s}”，但未声明为缺失值，目前按有效答案计入：{items}。"
        "如不是有效答案，请传入 missing={{{code}: '{reason}'}}。",
    },
    "masked": {
        "en": "Code {code} was taken as missing ({reason}) in: {items}.",
        "zh": "编码 {code} 已按缺失处理（{reason}）：{items}。",
    },
    "not_masked": {
        "en": "Code {code} has no label and lies among the answers of {items}; it was kept there as an answer. "
        "To take it as missing, name the item: missing={{'item': {{{code}: '{reason}'}}}}.",
        "zh": "编码 {code} 在 {items} 中没有标签，且落在有效答案的取值范围内，仍按有效答案保留。"
        "如需作缺失处理，请指明题目：missing={{'题目': {{{code}: '{reason}'}}}}。",
    },
    "unused_code": {
        "en": "missing names code {code}, which no item has.",
        "zh": "missing 中的编码 {code} 在任何题目中都没有出现。",
    },
    "personal": {
        "en": "Columns with personal data were left out: {names}. keep_personal=True keeps them.",
        "zh": "含个人信息的列已剔除：{names}。如需保留，请设 keep_personal=True。",
    },
    "sheets": {
        "en": "The workbook has {count} sheets; {sheet!s} was read. The others: {others}; choose with sheet=.",
        "zh": "工作簿有 {count} 个工作表，读取的是“{sheet!s}”；其余：{others}。可用 sheet= 指定。",
    },
    "platform": {
        "en": "Recognised as {platform}: {rows} header rows.",
        "zh": "识别为 {platform} 导出文件，表头共 {rows} 行。",
    },
    "renamed": {
        "en": "{count} columns had a question text for a name; they are called {first} … {last}, the text is their label.",
        "zh": "{count} 列以题干作列名，已改用简短列名 {first} … {last}，题干保留为标签。",
    },
    "encoding": {
        "en": "The file does not say its encoding; it was read as {encoding!s}. If the text looks wrong, pass encoding=.",
        "zh": "文件没有注明编码，按 {encoding!s} 读取；如出现乱码，请用 encoding= 指定。",
    },
    "garbled": {
        "en": "The file says its text is {encoding!s}, but it reads like Chinese in another encoding; "
        "pass encoding='gb18030' (or 'big5') if labels look wrong.",
        "zh": "文件声明的编码是 {encoding!s}，但内容更像其他编码的中文；如标签是乱码，请传入 encoding='gb18030'（或 'big5'）。",
    },
    "no_header": {
        "en": "The first row was taken as column names, but holds only numbers ({names}, …). "
        "If it is a respondent, put a row of names above it.",
        "zh": "首行已作为列名，但其中全是数字（{names}……）。如果首行其实是一位受访者的数据，请在其上方补一行列名。",
    },
    "blank_rows": {
        "en": "Rows without any answer were left out ({count:,}).",
        "zh": "{count:,} 个空行已略去。",
    },
    "decimal_comma": {
        "en": "Columns that look like numbers with a decimal comma stayed text: {names}. Pass decimal=','.",
        "zh": "下列各列看似以逗号作小数点，目前按文本保留：{names}。请传入 decimal=','。",
    },
    "no_catalog": {
        "en": "The value labels of {names} are in a SAS format catalog that is not beside the file; pass catalog=.",
        "zh": "{names} 的值标签在 SAS 格式目录（.sas7bcat）中，但数据文件旁没有该目录；请用 catalog= 指定。",
    },
    "time_zone": {
        "en": "{names}: times with a zone were turned into UTC.",
        "zh": "{names}：带时区的时间已换算为 UTC。",
    },
}
WARNED = spss.WARNED | {"undeclared", "not_masked", "unused_code", "garbled", "decimal_comma", "time_zone", "no_header"}
