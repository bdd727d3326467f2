package e2e

import (
	"slices"
	"strings"
	"time"
)

// The script of TestYear: what eight departments and the office do from May to
// December 2023. Everything that is compared in the end is told from here.

// city is the zone of the city's own dates.
var city = time.FixedZone("CST", 8*3600)

// yearMonths are the months reported, yearDepartments those who lead, by slug,
// with the name on pages, in the plan's order.
var (
	yearMonths      = []string{"2023-05", "2023-06", "2023-07", "2023-08", "2023-09", "2023-10", "2023-11", "2023-12"}
	yearDepartments = []struct{ slug, name string }{
		{"weijian", "卫健局"}, {"jiaoyu", "教育局"}, {"minzheng", "民政局"}, {"nongye", "农业农村局"},
		{"jianshe", "建设局"}, {"renshe", "人社局"}, {"xuanchuan", "宣传部"}, {"jiaotong", "交通运输局"},
	}
)

// yearSheet is what each indicator stands at in the end for each month. = is
// 无变化, a figure or step of its own else; - is owed and never reported; an empty
// place owes nothing.
var yearSheet = []struct {
	code, department string
	values           [8]string
}{
	{"1.1", "weijian", [8]string{"", "3.42", "", "", "3.66", "", "", "3.82"}},
	{"1.2", "weijian", [8]string{"", "", "", "", "", "", "", "趋缓"}},
	{"2.1", "jiaoyu", [8]string{"0", "=", "=", "1350", "4590", "=", "=", "="}},
	{"2.2", "jiaoyu", [8]string{"0", "2", "3", "5", "6", "8", "9", "10"}},
	{"2.3", "jiaoyu", [8]string{"0", "=", "1", "=", "2", "=", "=", "3"}},
	{"3.1", "weijian", [8]string{"5210", "7530", "9650", "11930", "13820", "16400", "18350", "20460"}},
	{"3.2", "weijian", [8]string{"0", "=", "=", "=", "0.35", "1.1", "1.72", "2.04"}},
	{"3.3", "weijian", [8]string{"推进中", "=", "基本到位", "到位", "=", "=", "基本到位", "到位"}},
	{"4.1", "minzheng", [8]string{"", "25.2", "", "", "25.31", "", "", "25.52"}},
	{"4.2", "minzheng", [8]string{"17.2", "20.9", "24.8", "32.4", "36.2", "40.1", "43.6", "47.05"}},
	{"4.3", "minzheng", [8]string{"0", "=", "1", "=", "2", "=", "=", "="}},
	{"4.4", "minzheng", [8]string{"50", "=", "60", "=", "=", "=", "=", "="}},
	{"5.1", "nongye", [8]string{"", "", "", "", "", "", "", "100"}},
	{"5.2", "nongye", [8]string{"", "", "", "", "", "", "", "100"}},
	{"6.1", "jianshe", [8]string{"0", "1", "=", "2", "=", "=", "3", "="}},
	{"6.2", "jianshe", [8]string{"0", "=", "=", "=", "1", "=", "=", "2"}},
	{"6.3", "jianshe", [8]string{"3", "4", "6", "8", "10", "=", "11", "12"}},
	{"6.4", "jianshe", [8]string{"", "", "", "", "", "", "", "87.75"}},
	{"6.5", "jianshe", [8]string{"2100", "2750", "3400", "3950", "4420", "4790", "5230", "5710"}},
	{"7.1", "renshe", [8]string{"18", "22", "-", "33", "39", "43", "48", "52"}},
	{"7.2", "renshe", [8]string{"28", "31.5", "-", "39.8", "44", "46.8", "48.9", "51.3"}},
	{"7.3", "renshe", [8]string{"76", "77", "-", "78", "=", "79", "80", "81"}},
	{"8.1", "xuanchuan", [8]string{"40", "50", "58", "66", "78", "86", "93", "100"}},
	{"8.2", "xuanchuan", [8]string{"", "", "", "", "", "", "", "87.4"}},
	{"8.3", "xuanchuan", [8]string{"32", "41", "50", "61", "72", "81", "92", "104"}},
	{"9.1", "minzheng", [8]string{"8", "12", "14", "18", "21", "25", "27", "30"}},
	{"9.2", "minzheng", [8]string{"0", "1", "=", "2", "=", "3", "4", "5"}},
	{"9.3", "minzheng", [8]string{"25", "38", "50", "58", "66", "80", "96", "112"}},
	{"10.1", "jiaotong", [8]string{"", "", "", "", "", "", "", "100"}},
	{"10.2", "jiaotong", [8]string{"", "", "", "", "", "", "", "85.6"}},
}

// yearDays is the day of the next month on which a department sends, 4 unless it
// stands here; from the 6th on that is late: in the days of grace, or after them
// and before the lock.
var yearDays = map[string]int{
	"jiaoyu 2023-10": 6, "jianshe 2023-08": 7, "xuanchuan 2023-06": 12,
	"weijian 2023-05": 2, "minzheng 2023-07": 5, "jiaotong 2023-12": 3,
}

// yearReturns are reports sent wrong at first, returned with a reason and put
// right a day later.
var yearReturns = []struct{ department, month, code, first, reason string }{
	{"weijian", "2023-07", "3.1", "9560", "与筛查登记系统相差90人,请核对"},
	{"minzheng", "2023-09", "9.3", "56", "累计数比8月少,请核对后重报"},
	{"jianshe", "2023-10", "6.5", "4970", "项目清单合计4790套,请核对"},
	{"xuanchuan", "2023-10", "8.3", "83", "名单里只有81个,请补名单或改数"}, // sent again unchanged, see yearAgain
	{"xuanchuan", "2023-11", "8.1", "39", "进度不会从86退到39,请核对"},
}

// yearAgain is what is sent instead of the final value after a return.
var yearAgain = map[string]string{"8.3 2023-10": "83"}

// yearCorrections are asked for after approval; the old value stands until the
// office approves, or for good where it returns.
var yearCorrections = []struct {
	department, month, code, old, new, reason string
	asked, decided                            time.Time
	returned                                  string // the office's reason, if it does not agree
}{
	{"weijian", "2023-06", "3.1", "7480", "7530", "两个镇6月下旬的筛查迟录,补入50人", yearAt(8, 9, 10, 0), yearAt(8, 10, 15, 0), ""},
	{"renshe", "2023-08", "7.2", "40.2", "39.8", "分母误用了上年学籍数", yearAt(10, 9, 10, 0), yearAt(10, 11, 15, 0), ""},
	{"jianshe", "2023-09", "6.5", "4420", "4480", "想把10月开工的60套算进来", yearAt(11, 8, 10, 0), yearAt(11, 9, 15, 0), "10月开工的应计入10月"},
	{"xuanchuan", "2023-10", "8.3", "83", "81", "复核撤下两个单元", yearAt(12, 8, 10, 0), yearAt(12, 11, 15, 0), ""},
}

// yearRevision is the one target revised: old months keep the old target.
var yearRevision = struct {
	code, old, new, from, basis, on string
	at                              time.Time
}{"6.5", "5600", "6000", "2023-10", "桐政办发〔2023〕36号", "2023-10-18", yearAt(10, 20, 10, 0)}

// yearReasons are what a department answers where a soft check asks.
var yearReasons = map[string]string{
	"1.1": "新建托育机构集中在三季度验收", "2.1": "学位随新校舍启用在秋季一次形成", "2.2": "创建评估安排在下半年,分批公布", "2.3": "评定在下半年进行",
	"3.1": "暑期筛查进度放缓,9月起增设筛查点", "3.2": "疫苗9月下旬到货,接种季刚开始", "4.1": "统一考试安排在6月和10月", "4.3": "第一家老年食堂7月投用",
	"4.4": "新标准7月起执行", "6.1": "年底前集中验收", "6.3": "场景随社区改造分批交付", "6.2": "验收由省里统一组织,第一批9月公布", "6.5": "新一批项目10月后开工",
	"7.1": "评定标准5月印发,首批评定在下半年", "9.2": "示范点选址调整,工期重排", "9.3": "星级评定分两批,第二批在公示",
	"8.1": "三季度测评结果10月才公布", "4.2": "暑期助餐点新增11个", "7.2": "新生9月注册", "9.1": "评定分两批进行",
}

// yearFallback is the reason where yearReasons has none.
const yearFallback = "按工作计划下半年集中推进"

// yearAsked are the values a soft check asks a reason for: the light turns to
// trouble, the total falls, or the jump is too large.
var yearAsked = []string{
	"2.1 2023-05", "2.2 2023-05", "2.3 2023-05", "3.1 2023-05", "3.2 2023-05", "4.3 2023-05", "4.4 2023-05", "6.1 2023-05", "6.2 2023-05",
	"6.3 2023-05", "7.1 2023-05", "7.2 2023-05", "7.3 2023-05", "8.3 2023-05", "9.1 2023-05", "9.2 2023-05", "9.3 2023-05",
	"1.1 2023-06", "4.1 2023-06", "4.2 2023-06", // 44.9 % where 50 % is due
	"6.1 2023-07", "6.1 2023-09", // one of three, then two of three
	"9.3 2023-09", "8.1 2023-11", // both fall, and are returned
	"2.3 2023-11", // two of three, and only a month is left
}

// yearNotes are words beside a value.
var yearNotes = map[string]string{
	"3.1 2023-09": "本月新增筛查1890人。", "4.2 2023-08": "暑期新增11个助餐点。", "6.2 2023-09": "第一个样板区通过省级验收。",
	"1.2 2023-12": "全年出生率5.31‰,降幅比上年收窄。", "8.2 2023-12": "年度入户调查结果。",
}

// yearTasks say how a task got on, by department and month: task code, state, note.
var yearTasks = map[string][3]string{
	"nongye 2023-05": {"5-1", "underway", "百村抱团项目开工。"}, "nongye 2023-06": {"5-1", "underway", "完成年度投资的三成。"},
	"nongye 2023-07": {"5-1", "", "完成年度投资的四成半。"}, "nongye 2023-08": {"5-1", "", "完成年度投资的六成。"},
	"nongye 2023-09": {"5-1", "", "完成年度投资的七成。"}, "nongye 2023-10": {"5-1", "", "完成年度投资的八成。"},
	"nongye 2023-11": {"5-1", "", "完成年度投资的九成半。"}, "nongye 2023-12": {"5-1", "done", "年度投资全部完成。"},
	"jiaotong 2023-05": {"10-2", "underway", "沥青路面工程招标。"}, "jiaotong 2023-06": {"10-2", "", "施工图审查通过。"},
	"jiaotong 2023-07": {"10-2", "", "路基工程过半。"}, "jiaotong 2023-08": {"10-3", "underway", "干线公路养护开工。"},
	"jiaotong 2023-09": {"10-3", "", "养护完成六成。"}, "jiaotong 2023-10": {"10-3", "done", "养护全部完成。"},
	"jiaotong 2023-11": {"10-5", "underway", "农村公路修缮12公里。"}, "jiaotong 2023-12": {"10-5", "done", "农村公路修缮28公里。"},
	"weijian 2023-08": {"3-3", "done", "重点药品和抢救设备按清单配齐。"}, "minzheng 2023-09": {"4-2", "underway", "养老驿站选址14处。"},
}

// yearAt is a moment of 2023, or of the January after as month 13.
func yearAt(month, day, hour, minute int) time.Time {
	return time.Date(2023, time.Month(month), day, hour, minute, 0, 0, city)
}

// yearIn is a moment of the month after a month.
func yearIn(month string, day, hour, minute int) time.Time {
	return yearAt(slices.Index(yearMonths, month)+6, day, hour, minute)
}

// sentOn is the day a department sends a month.
func sentOn(department, month string) int {
	if day, ok := yearDays[department+" "+month]; ok {
		return day
	}
	return 4
}

// isLate says whether a day of the month after is past the due date.
func isLate(day int) bool { return day > 5 }

// yearEntry is an indicator's month as told in the end.
type yearEntry struct {
	code, department, month string
	typed                   string // = for 无变化, - for never, empty where nothing is owed
	value                   string // what stands; empty if nothing does
}

// yearEntries are all of them, in the table's order, month by month.
func yearEntries() []yearEntry {
	var out []yearEntry
	for _, row := range yearSheet {
		last := ""
		for i, typed := range row.values {
			e := yearEntry{code: row.code, department: row.department, month: yearMonths[i], typed: typed}
			switch typed {
			case "", "-":
			case "=":
				e.value = last
			default:
				e.value, last = typed, typed
			}
			out = append(out, e)
		}
	}
	return out
}

// due are the entries a department owes for a month.
func due(department, month string) []yearEntry {
	return slices.DeleteFunc(yearEntries(), func(e yearEntry) bool {
		return e.department != department || e.month != month || e.typed == ""
	})
}

// firstSent is what the department sends at first: not yet put right by a return
// or a correction.
func firstSent(e yearEntry) string {
	for _, r := range yearReturns {
		if r.code == e.code && r.month == e.month {
			return r.first
		}
	}
	for _, c := range yearCorrections {
		if c.code == e.code && c.month == e.month {
			return c.old
		}
	}
	return e.typed
}

// shownID is the id of an indicator's or task's row in the form.
func shownID(prefix, code string) string { return prefix + strings.ReplaceAll(code, ".", "-") }
