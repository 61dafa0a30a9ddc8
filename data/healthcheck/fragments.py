"""Fragments of open answers by topic and language; comments.py combines them.

A topic has leads and tails (``{n}`` minutes, ``{d}`` days, ``{m}`` yuan, ``{s}`` a surname), and answers that stand
alone. Traps and critical comments are written out, each with its coding.
"""

from __future__ import annotations

from typing import NamedTuple

SHARES = {"queue": 28, "report": 18, "price": 12, "followup": 10, "doctor": 10, "parking": 9, "equipment": 8, "meal": 5}
POSITIVE = ("doctor", "equipment", "meal")


class Fragments(NamedTuple):
    """Parts of an answer; most answers are a lead and a tail."""

    leads: tuple[str, ...]
    tails: tuple[str, ...]
    alone: tuple[str, ...] = ()


def _parts(text: str) -> tuple[str, ...]:
    return tuple(p.strip() for p in text.strip().split("/"))


ZH = {
    "queue": Fragments(
        _parts("""抽血窗口排了{n}分钟的队/B超室门口等了差不多{n}分钟/心电图室外面足足等了{n}分钟/胸片那边等了{n}分钟才叫到号
        /内科诊室门口人挤人，等了{n}分钟/外科那边排了{n}分钟/大厅里等了{n}分钟才轮到我/彩超等了{n}分钟还没叫到
        /测骨密度排队{n}分钟/光排队就花了{n}分钟/七点半就到了，还是等了{n}分钟/周六来的，每一项都要等{n}分钟
        /前面排着二十多个人，等了{n}分钟/抽血等了{n}分钟，做B超又等了{n}分钟/叫号屏上一直不动，等了{n}分钟"""),
        _parts("""导检也不知道去哪儿了/叫号顺序很乱/空腹等这么久真的扛不住/连个坐的地方都没有/明明约了时间段还是要等
        /后来的人反而先做了/建议分时段控制人数/希望多开几个窗口/老人站着等很辛苦/一上午全耗在排队上
        /也没人告诉我哪一项人少可以先做/下次不敢周末来了/请了半天假都不够用/团检的人一来散客就没人管了
        /希望能在手机上看到前面还有几位/等得头都晕了/有人插队也没人管/体验很差"""),
        _parts("排队太久了/排队时间太长/等候时间太长，希望改进/人太多了，到处都要排队/别的都还行，就是排队太久"),
    ),
    "report": Fragments(
        _parts("""报告等了{d}天才出/说好五个工作日，结果拖了{d}天/体检完{d}天了报告还没出来/都{d}天了，小程序里一直显示审核中
        /报告里全是医学术语/结论写得太笼统/异常指标没有任何解释/纸质报告{d}天了还没寄到/电子报告打不开
        /问了几次都说还在总检/跟去年的数据没有对比/报告上的建议千篇一律/B超的描述和结论对不上
        /报告里箭头一大堆/出报告没有短信通知"""),
        _parts("""普通人根本看不懂/希望有医生能讲解一下/拿着报告还得自己上网查/心里一直不踏实/耽误我去医院复查
        /单位催着要也交不上/打电话问也说不清楚/希望把重点标出来/轻重缓急也不说/最后还是去医院又问了一遍
        /希望能加快速度/父母更看不懂/建议增加历年对比/客服只会说再等等/体检的意义都打了折扣"""),
        _parts("报告出得太慢/报告看不懂/希望报告能早点出/报告太厚，没有重点"),
    ),
    "price": Fragments(
        _parts("""同样的项目别家便宜{m}元/比去年又贵了{m}元/加项太贵了/套餐里好多项目用不上/现场一直推销加项
        /办卡时说有折扣，结账又没有/两档套餐差{m}元，项目却差不多/补一个项目就要{m}元/网上的价格和到店的不一样
        /家属价没有优惠多少/一个甲状腺B超就收{m}元/停车、餐食都要另算"""),
        _parts("""感觉不值这个价/性价比不高/希望价格透明一点/明年考虑换一家/老客户一点优惠都没有/希望能自由组合项目
        /让人觉得被套路了/普通家庭有点吃不消/服务也没见变好/希望会员价真的实惠/花得不明不白"""),
        _parts("价格偏高/有点贵/希望多一些优惠/性价比一般"),
    ),
    "followup": Fragments(
        _parts("""体检完就没人管了/说好有健管师回访，{d}天了也没人联系/随访电话打来只是推销产品/异常指标没人提醒复查
        /微信上问问题，{d}天没人回/回访的人对我的情况一无所知/办卡时承诺的健康管理没有兑现/血糖偏高也没人告诉我该怎么办
        /只发了一条群发短信/健管师换了三个，每次都要重新讲一遍/复查预约全靠自己打电话"""),
        _parts("""希望有个固定的健管师/感觉检完就完了/后续服务太弱/钱付了服务就没了/希望能主动提醒复查
        /跟宣传的完全不一样/老人不会自己查，很需要有人跟进/有问题都不知道找谁/建议至少打一个电话/这一块真的要加强"""),
        _parts("没有随访/检后服务几乎没有/希望加强随访/检完就没下文了"),
    ),
    "doctor": Fragments(
        _parts("""内科的{s}医生问得很仔细/B超的{s}医生一边做一边讲解/外科医生很耐心/眼科医生还教我怎么保护视力
        /{s}主任看得很认真/女医生动作轻，态度也好/口腔科医生发现了一颗蛀牙还给我看了照片/总检的{s}医生讲得明白
        /做甲状腺B超的医生查得很细/耳鼻喉科的医生很有经验"""),
        _parts("""让人放心/我问的问题都一一解答了/给医生点赞/专业度没得说/一点都不赶时间/比医院里看得还细
        /老人听得懂，很感谢/第一次体检也不紧张了/冲着医生明年还来/建议也很实在"""),
        _parts("医生很专业/医生态度很好/医生认真负责/给{s}医生点个赞"),
    ),
    "parking": Fragments(
        _parts("""停车位太少，转了{n}分钟/地下车库满了，只能停路边/从停车场走过来要{n}分钟/入口指示牌看不清，绕了好几圈
        /保安让我停到隔壁商场/停车费收了{m}元/车库又窄又暗/排队进车库就等了{n}分钟/停车券要跑到前台盖章
        /周末根本没有车位"""),
        _parts("""差点错过预约时间/老人走不动/希望给体检客户预留车位/停车优惠也没人提醒/回来发现被贴了罚单
        /建议提前短信告知停车信息/还没开始体检心情就不好了/下次只能打车来/带着父母很不方便"""),
        _parts("停车难/停车太不方便/车位太少/停车费贵"),
    ),
    "equipment": Fragments(
        _parts("""设备很新/CT机看着就先进，几分钟就做完了/无痛胃镜的设备很好/彩超机图像很清楚/仪器都是进口的
        /骨密度仪躺下一会儿就好了/核磁的噪音比以前那家小很多/抽血用的是真空管，一点不疼/眼底照相当场就能看到结果"""),
        _parts("""结果让人信得过/比有些医院的还好/做起来很快/检查过程很舒服/一点都没遭罪/感觉钱花在了设备上
        /医生当场就能给我看/家里人明年也想来"""),
        _parts("设备先进/仪器很新/设备不错，放心"),
    ),
    "meal": Fragments(
        _parts("""早餐很丰盛/抽完血就有热粥喝/餐食种类多，还有无糖的/小米粥和鸡蛋都是热的/点心比去年好吃
        /素食也有得选/豆浆是现磨的/给糖尿病人准备了专门的餐"""),
        _parts("""空腹半天吃上这一口太幸福了/细节很贴心/老人也喜欢/给餐厅阿姨点赞/没想到体检还能吃这么好
        /吃完整个人都缓过来了/用餐区也干净"""),
        _parts("早餐好吃/餐食不错/吃得很满意"),
    ),
}  # fmt: skip

EN = {
    "queue": Fragments(
        _parts("""Waited {n} minutes for the blood test/{n} minutes outside the ultrasound room/Had a slot and still queued {n} minutes
        /Queued {n} minutes for the chest X-ray/The whole morning went on queueing, {n} minutes per station
        /{n} minutes standing in line at the ECG/The number display did not move for {n} minutes"""),
        _parts("""nobody told us which station was free/on an empty stomach this is hard/people who came later went first
        /there were not even chairs/please open more counters/no staff in sight to direct us/my elderly mother had to stand
        /what is the booking good for then/I missed half a day of work"""),
        _parts("Too much queueing/Queues are far too long/Waiting times need work/Long waits everywhere"),
    ),
    "report": Fragments(
        _parts("""The report took {d} days/Still no report after {d} days/The report is full of medical terms
        /Abnormal values are listed without any explanation/The app has said "in review" for {d} days
        /No comparison with last year's results/The conclusions read like boilerplate"""),
        _parts("""I had to look everything up myself/a doctor should explain it/my company is waiting for it
        /I cannot tell what is urgent/the hotline only says to wait/it delayed my follow-up at the hospital
        /half of it I do not understand"""),
        _parts("Report too slow/Could not understand the report/Please speed up the reports"),
    ),
    "price": Fragments(
        _parts("""{m} yuan more than last year/The same package is {m} yuan cheaper elsewhere/Add-ons are overpriced
        /They kept selling me extras/The discount I was promised was gone at the till/Half the package I do not need"""),
        _parts("""not worth it/please make prices transparent/no benefit at all for regular customers
        /I will compare providers next year/felt like a sales show"""),
        _parts("Too expensive/A bit pricey/Poor value for money"),
    ),
    "followup": Fragments(
        _parts("""Nobody called after the check-up/I was promised a health manager and heard nothing for {d} days
        /The follow-up call was only about selling products/My question has been unanswered for {d} days
        /No reminder for my re-test/The person who called knew nothing about my results"""),
        _parts("""after payment the service ends/I do not know whom to ask/a short call would have been enough
        /not what was advertised/please improve this"""),
        _parts("No follow-up at all/Follow-up is missing/Nobody cares once you have left"),
    ),
    "doctor": Fragments(
        _parts("""Dr {s} took time to explain everything/The ultrasound doctor talked me through each step/Very patient doctors
        /The doctor at the final consultation was excellent/The eye doctor was thorough/Dr {s} was friendly and precise"""),
        _parts("""I felt in good hands/all my questions were answered/better than at the hospital/no rush at all
        /I would come back just for that"""),
        _parts("Great doctors/Very professional doctors/Doctors were excellent"),
    ),
    "parking": Fragments(
        _parts("""Drove around for {n} minutes to find a space/The garage was full/It is a {n} minute walk from the car park
        /Paid {m} yuan for parking/Signs to the garage are confusing/No parking for customers at weekends"""),
        _parts("""almost missed my slot/please reserve spaces for customers/came back to a parking ticket
        /next time I will take a taxi/not easy with elderly parents"""),
        _parts("Parking is a nightmare/Not enough parking/Parking too far away"),
    ),
    "equipment": Fragments(
        _parts("""Modern equipment/The CT was done in a few minutes/Ultrasound pictures were very clear
        /Everything looks brand new/The MRI was much quieter than I remembered"""),
        _parts("""I trust the results/better than many hospitals/quick and comfortable/no discomfort at all"""),
        _parts("Impressive equipment/Very modern devices/Good machines"),
    ),
    "meal": Fragments(
        _parts("Lovely breakfast/Hot porridge right after the blood test/Good choice of food, even sugar-free/Fresh soy milk"),
        _parts("just what I needed after fasting/a nice touch/my parents loved it/clean dining area too"),
        _parts("Great breakfast/Food was good/Nice meal"),
    ),
}  # fmt: skip

MIXED = {
    "queue": Fragments(
        _parts("排队too long了，等了{n}分钟/抽血的queue太长，{n}分钟/约了slot还要等{n}分钟/ultrasound那边等了{n}分钟"),
        _parts("staff也不解释/完全没有time management/建议做个online叫号/体验真的不OK/下次不会weekend来了"),
    ),
    "report": Fragments(
        _parts("report等了{d}天/App里report一直pending/报告里的abnormal指标没有说明/report没有和去年compare"),
        _parts("看不懂，也没doctor解释/HR一直在催/希望能有个summary/速度要upgrade一下"),
    ),
    "price": Fragments(
        _parts("price比去年高了{m}元/package里很多项目不需要/加项的price太贵/现场一直push我加项"),
        _parts("not worth it/性价比so so/VIP也没什么discount/明年考虑换provider"),
    ),
    "followup": Fragments(
        _parts("follow-up基本没有/说好的health manager {d}天没联系我/打来的call都是推销/微信提问{d}天没有reply"),
        _parts("service做一半/检完就bye bye了/希望有人follow一下/有点disappointed"),
    ),
    "doctor": Fragments(
        _parts("{s}医生super耐心/doctor讲得很清楚/做B超的doctor非常professional/总检医生的advice很实用"),
        _parts("赞/very nice/问什么都有answer/感觉很放心"),
    ),
    "parking": Fragments(
        _parts("parking太难找，转了{n}分钟/车库full了只能停路边/停车场到clinic要走{n}分钟/parking费{m}元"),
        _parts("差点late/希望有reserved车位/心情down到谷底/带老人not convenient"),
    ),
    "equipment": Fragments(
        _parts("设备很new/CT machine很先进/仪器都是high-end的/B超screen很清楚"),
        _parts("信得过/nice/比hospital的还好/效率很高，good"),
    ),
    "meal": Fragments(
        _parts("breakfast很丰盛/餐食有sugar-free的/早餐的porridge是热的/fruit很新鲜"),
        _parts("点赞/so sweet/很贴心，thanks/good job"),
    ),
}

LANGUAGES = {"zh": ZH, "en": EN, "mixed": MIXED}
SURNAMES = {
    "zh": _parts("王/李/张/刘/陈/杨/赵/周/吴/徐/孙/朱/林/何/郭"),
    "en": _parts("Wang/Li/Zhang/Chen/Zhou/Lin/Xu"),
}


class Trap(NamedTuple):
    """An answer whose words say the opposite of what is meant."""

    language: str
    topic: str
    sentiment: int
    kind: str
    text: str


def _traps(language: str, kind: str, sentiment: int, text: str) -> list[Trap]:
    rows = (line.strip().split(": ", 1) for line in text.strip().splitlines())
    return [Trap(language, topic, sentiment, kind, said) for topic, said in rows]


TRAPS = [
    *_traps("zh", "negation", 1, """
    queue: 原以为要等很久，结果一点都没排队
    queue: 排队不算长，没有网上说的那么可怕
    queue: 谁说这里排队久，我十分钟就全做完了
    queue: 没有一项是等超过五分钟的
    queue: 不用站着干等，叫号很有秩序
    queue: 去年抱怨过排队太久，今年再也挑不出毛病
    report: 报告不慢，三天就收到了
    report: 没想到报告没有那些看不懂的术语
    report: 以前嫌报告太厚没重点，这次完全没有这个问题
    report: 报告里没有一句是废话
    price: 说实话一点都不贵
    price: 没有被推销加项，这点难得
    followup: 不是检完就不管了，第二天就有人打电话来
    followup: 没有像别家那样只会推销，随访是真的在关心
    parking: 停车没有想象中难，保安一直在引导
    parking: 周末车位不紧张，没绕路"""),
    *_traps("zh", "negation", -1, """
    doctor: 医生谈不上专业
    doctor: 不能说医生不认真，但确实没听我把话说完
    doctor: 医生并不像宣传的那样耐心
    equipment: 设备没有宣传的那么先进
    equipment: 不觉得这些仪器比社区医院强
    meal: 早餐算不上丰盛，粥还是凉的
    meal: 说不上好吃，勉强垫垫肚子"""),
    *_traps("zh", "sarcasm", -1, """
    queue: 真“快”啊，抽个血才等了一个半小时
    queue: 感谢贵中心让我在走廊里读完了一本书
    queue: 排队排得很好，把同事都认全了
    queue: VIP通道真不错，比普通通道只慢二十分钟
    queue: 效率真高，六个窗口开了一个
    queue: 建议把体检改名叫排队体验，名副其实
    report: 报告出得真及时，正好赶上我忘了体检过
    report: 报告写得太好了，我一个字都没看懂
    report: 等报告的这三周，我的耐心指标非常优秀
    price: 真是良心价，一瓶水都要另收钱
    price: 优惠力度真大，省下的钱刚好够付停车费
    price: 推销加项的热情要是用在体检上就完美了
    followup: 随访真贴心，连我叫什么都不知道
    followup: 健管师神龙见首不见尾，佩服
    doctor: 医生真“认真”，三十秒就把我看完了
    doctor: 医生水平真高，不抬头就能下结论
    parking: 停车很锻炼身体，停完车走过来今天的运动量就够了
    parking: 停车场真好找，我找了四十分钟
    equipment: 设备真先进，先进到护士都不会用
    equipment: 仪器真好，测了三次血压三个结果
    meal: 早餐真丰盛，馒头和馒头随便选"""),
    *_traps("en", "negation", 1, """
    queue: Not a single queue this time
    queue: I can't say I had to wait, everything went straight through
    report: The report was not slow at all, two days and it was there
    price: Not expensive for what you get
    followup: It is not true that nobody calls, they called the next day
    parking: Parking was no problem, unlike last year"""),
    *_traps("en", "negation", -1, """
    doctor: I wouldn't call the doctors professional
    meal: Breakfast was nothing to write home about, and cold"""),
    *_traps("en", "sarcasm", -1, """
    queue: Great, only two hours for a blood test
    queue: Loved the queue so much that I stood in it three times
    report: Lightning fast report, it only took a month
    price: What a bargain, everything useful costs extra
    doctor: Wonderful doctor, did not even need to look at me"""),
    *_traps("mixed", "sarcasm", -1, """
    queue: 这个queue管理真是amazing，等到怀疑人生
    report: report的速度真是so fast，一个月而已
    equipment: 设备很advanced，advanced到一直在reboot"""),
]  # fmt: skip


class Critical(NamedTuple):
    """An answer that somebody must act upon, with the department in charge."""

    language: str
    topic: str
    department: str
    text: str


def _critical(language: str, text: str) -> list[Critical]:
    rows = (line.strip().split(" | ") for line in text.strip().splitlines())
    return [Critical(language, topic, department, said) for topic, department, said in rows]


CRITICAL = [
    *_critical("zh", """
    report | Report centre | 报告里混进了别人的化验单，姓名和年龄都不是我，请立刻核实
    report | Report centre | 把我的报告寄给了同事，里面有隐私内容，我要求说明情况
    report | Report centre | 报告写我做过子宫肌瘤检查，可我是男的，数据到底是谁的
    report | Medical department | 你们报告说肺部正常，一个月后医院查出八毫米结节，这是漏诊
    report | Medical department | 胆囊早就切除了，B超报告还写胆囊未见异常，我怀疑根本没做
    report | Report centre | 登录小程序看到的是另一个人的完整报告，身份证号都看得见
    followup | Health management | 肿瘤指标高出好几倍，没有任何人通知我，一个月后自己翻报告才发现
    followup | Health management | 我父亲心电图提示急性缺血，你们两周后才打电话，人已经住院了
    followup | Health management | 血钾危急值没有当天通知，医院说再晚就危险了
    followup | Contact centre | 自称你们随访的人报得出我的病史，让我转账买药，你们的数据泄露了
    doctor | Medical department | 妇科检查时男医生单独在场，没有女护士陪同，动作让我非常不适，我要投诉
    doctor | Medical department | 医生没看我的过敏史就让我吃药，回家全身起疹子去了急诊
    doctor | Medical department | 外科医生一身酒气给人做检查，太危险了
    equipment | Medical technology | 做CT时我说了可能怀孕，操作人员还是拍了，我现在非常担心
    equipment | Medical technology | 心电图机漏电，我被电了一下，胸口现在还发麻
    equipment | Medical technology | 胃镜没有换一次性咬嘴，我亲眼看到直接给下一个人用
    meal | Catering | 吃了你们的早餐，一桌六个同事上吐下泻，有两个在挂水
    meal | Catering | 粥里喝到碎玻璃，嘴里划破了
    meal | Catering | 我登记了花生过敏，拿到的点心里还是有花生，喉咙肿了
    queue | Nursing | 空腹排队一个半小时，我妈低血糖晕倒在地上，好几分钟没有护士过来
    queue | Nursing | 抽血排完队发现针头是拆开过的，护士说没事，我不能接受
    queue | Operations | 排队时有人打起来，玻璃门都碎了，没有保安，还有孩子在旁边
    parking | Facilities | 车库坡道结冰没撒盐，老人滑倒骨折了，希望你们负责
    parking | Facilities | 消防通道被车堵死，我看到担架都推不出去，出了火灾怎么办
    price | Front office | 没有我的签字就从卡里多扣了四千多，前台还说退不了，我准备报警
    price | Front office | 前台用我的会员卡给别人结了账，要求查监控"""),
    *_critical("en", """
    report | Report centre | I received another patient's lab results under my name, please check at once
    report | Medical department | You reported a normal mammogram; the hospital found a tumour six weeks later
    followup | Health management | Nobody called me about a critical blood value, I found it by chance three weeks later
    doctor | Medical department | The doctor touched me in a way no examination needs, I want to make a formal complaint
    equipment | Medical technology | The treadmill did not stop when I pressed the emergency button and I fell
    meal | Catering | Found a metal splinter in the bread, my gum was bleeding
    queue | Nursing | An old man collapsed in the queue and nobody knew where the defibrillator was
    followup | Contact centre | A caller who knew my whole medical record tried to sell me drugs, you have a data leak"""),
    *_critical("mixed", """
    report | Report centre | 我的report里是别人的name和ID，请马上处理
    doctor | Medical department | doctor没有问allergy就打了造影剂，我当场呼吸困难
    meal | Catering | 早餐之后food poisoning，三个人都送了ER"""),
]  # fmt: skip
