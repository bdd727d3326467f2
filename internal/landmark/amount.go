package landmark

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
	"golang.org/x/text/width"
)

// What an amount may have at most. It fits numeric(21,6) and any figure a city
// counts; beyond it somebody leaned on a key.
const (
	maxWhole   = 15 // digits before the point
	maxPlaces  = 6  // and after it
	maxTyped   = 80 // characters in the field
	maxQuoted  = 30 // characters repeated in an error
	maxSlugLen = 40
)

// ParseAmount reads what a person typed as an indicator's value. Full-width
// digits and marks, blanks, thousands separators in their places, a sign and the
// indicator's own unit are understood; trailing zeros beyond the indicator's
// decimals are dropped. The error is Invalid, field "value", and names the
// indicator. Whether the figure makes sense is for [CheckReport] to say.
func ParseAmount(text string, ind *Indicator) (decimal.Decimal, error) {
	refuse := func(format string, args ...any) (decimal.Decimal, error) {
		return decimal.Decimal{}, Errorf(Invalid, "value", escapePercent(Quoted(ind.Name))+format, args...)
	}
	typed := foldAmount(text)
	if typed == "" {
		return refuse("还没有填数值")
	}
	if len([]rune(typed)) > maxTyped {
		return refuse("填的内容太长,只填数字,例如 %s", ind.example())
	}
	sign, rest := "", typed
	if rest[0] == '+' || rest[0] == '-' {
		sign, rest = strings.TrimPrefix(rest[:1], "+"), strings.TrimLeft(rest[1:], " ")
	}
	digits := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789., ", r) }); i >= 0 {
		digits = rest[:i]
	}
	tail := rest[len(digits):]
	digits = strings.TrimRight(digits, " ")
	lower := strings.ToLower(tail)
	switch {
	case strings.IndexFunc(digits, isDigit) < 0:
		return refuse("要填阿拉伯数字,例如 %s", ind.example())
	case len(lower) > 1 && lower[0] == 'e' && strings.ContainsAny(lower[1:], "0123456789"):
		return refuse("不能用科学计数法,请把数字写全,例如 %s", ind.example())
	case tail != "" && !ind.ownUnit(tail):
		if (tail == "%" || tail == "‰") && ind.Unit != "" {
			return refuse("的单位是%s,不要填成%s", ind.Unit, tail)
		}
		return refuse("只填数字,不要带“%s”,例如 %s", clip(tail), ind.example())
	case strings.Count(digits, ".") > 1:
		return refuse("有多个小数点,请核对")
	}
	whole, fraction, dotted := strings.Cut(digits, ".")
	if dotted && fraction == "" {
		return refuse("小数点后没有数字,请补全或去掉小数点")
	}
	whole, ok := ungroup(whole)
	if !ok || strings.ContainsAny(fraction, ", ") {
		return refuse("的逗号或空格放错了位置,请写成 13,820 或 13820 的样子")
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > maxWhole {
		return refuse("数字太大,小数点前最多%d位", maxWhole)
	}
	for len(fraction) > ind.Decimals && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	switch {
	case len(fraction) > ind.Decimals && ind.Decimals == 0:
		return refuse("只能填整数,例如 %s", ind.example())
	case len(fraction) > min(ind.Decimals, maxPlaces):
		return refuse("小数点后最多%d位,例如 %s", min(ind.Decimals, maxPlaces), ind.example())
	}
	plain := sign + "0" + whole
	if fraction != "" {
		plain += "." + fraction
	}
	d, err := decimal.NewFromString(plain)
	if err != nil { // digits only by now
		return refuse("要填阿拉伯数字,例如 %s", ind.example())
	}
	return d, nil
}

// foldAmount brings full-width forms, the minus signs people paste and every
// kind of blank to one form each, and drops what cannot be seen.
func foldAmount(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '−' || r == '–' || r == '﹣':
			return '-'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r): // byte order mark, zero width space
			return -1
		default:
			return r
		}
	}, width.Fold.String(text))
	return strings.TrimSpace(text)
}

// ungroup takes thousands separators out of the digits before the point: all
// commas or all blanks, every group but the first of three digits.
func ungroup(whole string) (string, bool) {
	for _, separator := range []string{",", " "} {
		if !strings.Contains(whole, separator) {
			continue
		}
		groups := strings.Split(whole, separator)
		for i, g := range groups {
			first := i == 0
			if strings.ContainsAny(g, ", ") || !first && len(g) != 3 || first && (g == "" || len(g) > 3 || g[0] == '0') {
				return "", false
			}
		}
		return strings.Join(groups, ""), true
	}
	return whole, true
}

// ownUnit says whether what follows the digits is the indicator's unit or the
// beginning of it: 人 and 万人 of 万人次, 人 of 人/万名老人. A different multiplier
// (万 where 人 is counted) is none. Without a unit, a sign of rate is let through.
func (ind *Indicator) ownUnit(tail string) bool {
	tail = strings.ReplaceAll(tail, " ", "")
	if ind.Unit == "" {
		return tail == "%" || tail == "‰"
	}
	rest, ok := strings.CutPrefix(foldAmount(ind.Unit), tail)
	// 万 of 万元 is complete, 万 of 万人次 too; but half of a letter unit is not.
	return ok && (rest == "" || !unicode.IsLower([]rune(rest)[0]))
}

// example is a figure of the form the indicator takes.
func (ind *Indicator) example() string {
	switch ind.Decimals {
	case 0:
		return "3"
	case 1:
		return "3.5"
	default:
		return "3.25"
	}
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// Quoted puts a name in quotation marks; those inside it become single ones.
func Quoted(name string) string {
	return "“" + strings.NewReplacer("“", "‘", "”", "’").Replace(name) + "”"
}

func escapePercent(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// clip shortens what is repeated in an error.
func clip(s string) string {
	if r := []rune(s); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "…"
	}
	return s
}

var printedForm = regexp.MustCompile(`^([+-]?)([0-9]{1,15}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4})(\.[0-9]{1,6})? ?[%‰]?$`)

// PrintedNumber is the number in a printed figure of the table: 82.80% is 82.80,
// 5.48‰ is 5.48. Words and "/" have none.
func PrintedNumber(text string) decimal.NullDecimal {
	f := printedForm.FindStringSubmatch(foldAmount(text))
	if f == nil {
		return decimal.NullDecimal{}
	}
	d, err := decimal.NewFromString(strings.TrimPrefix(f[1], "+") + strings.ReplaceAll(f[2], ",", "") + f[3])
	if err != nil {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(d)
}

// unitForm is a unit of measure: an optional multiplier, a measure word, and
// what it is counted by. It tells (个) and (万人次) from words in parentheses that
// belong to a name, such as (社区) or (实践).
var unitForm = regexp.MustCompile(`^(?:[%‰]|(?:十|百|千|万|亿|百万|千万)?(?:` +
	`个|所|人|名|位|户|家|套|间|张|件|项|次|场|期|批|条|处|座|栋|幢|台|辆|艘|架|部|只|头|株|棵|本|册|篇|份|门|届|支|组|队|对|班|村|岁|天|日|月|年|` +
	`元|美元|吨|公斤|千克|克|毫克|微克|升|米|公里|千米|里|亩|公顷|平方米|平方公里|平方千米|立方米|度|小时|分钟|分|秒|千瓦|千瓦时|兆瓦|吨标准煤|` +
	`人次|人日|人天|车次|班次|件次|户次|床|床位|张床位|学位|机位|车位|泊位|标箱|标准箱|百分点|个百分点|点|倍|级|星|kWh|kW|MW|GW|km|m|㎡|m²|m³|kg|t)` +
	`(?:\([^()]{1,4}\))?(?:[/·每][^()]{1,12})?)$`)

// SplitName takes a printed indicator apart: ★未来社区建成数量(个) is the key
// indicator 未来社区建成数量, counted in 个. A closing parenthesis that holds no unit
// of measure stays in the name.
func SplitName(printed string) (name, unit string, key bool) {
	name, key = strings.CutPrefix(strings.TrimSpace(printed), "★")
	name = strings.TrimSpace(name)
	open := closingParenthesis(name)
	if open <= 0 {
		return name, "", key
	}
	inside := []rune(name[open:])
	content := string(inside[1 : len(inside)-1])
	folded := width.Fold.String(strings.TrimSpace(content))
	before := strings.TrimSpace(name[:open])
	if before == "" || !unitForm.MatchString(folded) {
		return name, "", key
	}
	return before, folded, key
}

// closingParenthesis is where the parenthesis opens that ends the name, −1 if
// the name ends otherwise. 套(间) inside one is passed over.
func closingParenthesis(name string) int {
	if !strings.HasSuffix(name, ")") && !strings.HasSuffix(name, "\uff09") {
		return -1
	}
	var open []int
	last := -1
	for i, r := range name {
		switch r {
		case '(', '\uff08': // the second of each is the full-width form
			open = append(open, i)
		case ')', '\uff09':
			if len(open) == 0 {
				return -1
			}
			last, open = open[len(open)-1], open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return -1
	}
	return last
}

// ParseSteps reads the steps of a qualitative indicator:
// 未启动|推进中=on_track|基本到位|到位=done. Left unsaid, the first means behind, the
// last done and the others on track; the last can mean nothing else, for it is
// the aim. The error is Invalid, field "steps".
func ParseSteps(text string) ([]Step, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	refuse := func(format string, args ...any) ([]Step, error) {
		return nil, Errorf(Invalid, "steps", format, args...)
	}
	var out []Step
	seen := map[string]bool{}
	parts := strings.Split(text, "|")
	for i, part := range parts {
		name, meaning, told := strings.Cut(part, "=")
		step := Step{Name: strings.TrimSpace(name), Meaning: OnTrack}
		first, last := i == 0, i == len(parts)-1
		switch light := Light(strings.TrimSpace(meaning)); {
		case step.Name == "":
			return refuse("第%d个步骤没有名称", i+1)
		case strings.ContainsFunc(step.Name, unicode.IsControl):
			return refuse("步骤“%s”里不能换行", clip(oneLine(step.Name)))
		case len([]rune(step.Name)) > maxQuoted:
			return refuse("步骤“%s”超过%d字", clip(step.Name), maxQuoted)
		case seen[step.Name]:
			return refuse("步骤“%s”写了两次", step.Name)
		case told && light != Done && light != OnTrack && light != Behind:
			return refuse("步骤“%s”的状态应是 done、on_track、behind 之一,现在是“%s”", step.Name, clip(oneLine(meaning)))
		case told && (light == Done) != last:
			return refuse("步骤“%s”:只有最后一步是 done,最后一步只能是 done", step.Name)
		case told:
			step.Meaning = light
		case last:
			step.Meaning = Done
		case first:
			step.Meaning = Behind
		}
		seen[step.Name] = true
		out = append(out, step)
	}
	return out, nil
}

// FormatSteps writes steps so that [ParseSteps] gives them again.
func FormatSteps(steps []Step) string {
	parts := make([]string, len(steps))
	for i, s := range steps {
		parts[i] = s.Name + "=" + string(s.Meaning)
	}
	return strings.Join(parts, "|")
}

// ParseCurve reads a plan curve: 2023-03=20;2023-06=40. Months ascend. The error
// is Invalid, field "curve".
func ParseCurve(text string) ([]CurvePoint, error) {
	refuse := func(format string, args ...any) ([]CurvePoint, error) {
		return nil, Errorf(Invalid, "curve", format, args...)
	}
	var out []CurvePoint
	for part := range strings.SplitSeq(width.Fold.String(text), ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		m, amount, ok := strings.Cut(part, "=")
		month, err := ParseMonth(strings.TrimSpace(m))
		if !ok || err != nil {
			return refuse("计划曲线应写成“2023-03=20;2023-06=40”的样子,看不懂“%s”", clip(oneLine(part)))
		}
		n := PrintedNumber(amount)
		if !n.Valid || strings.ContainsAny(amount, "%‰") {
			return refuse("%s的计划值应是数字,现在是“%s”", month.Chinese(), clip(oneLine(amount)))
		}
		if len(out) > 0 && month <= out[len(out)-1].Month {
			return refuse("计划曲线的月份应从早到晚,%s放错了或写了两次", month.Chinese())
		}
		out = append(out, CurvePoint{Month: month, Amount: n.Decimal})
	}
	return out, nil
}

// FormatCurve writes a plan curve so that [ParseCurve] gives it again, every
// figure with the digits it was entered with.
func FormatCurve(points []CurvePoint) string {
	parts := make([]string, len(points))
	for i, p := range points {
		parts[i] = p.Month.String() + "=" + Entered(p.Amount)
	}
	return strings.Join(parts, ";")
}

// Entered prints a decimal with the digits it was entered with: 82.80, not 82.8.
func Entered(d decimal.Decimal) string { return d.StringFixed(max(0, -d.Exponent())) }

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ParseSlug reads the short name of a plan or department in addresses:
// tongxiang-2023. The error is Invalid, field "slug".
func ParseSlug(text string) (string, error) {
	s := strings.TrimSpace(text)
	switch {
	case s == "":
		return "", Errorf(Invalid, "slug", "请填写简称,例如 tongxiang-2023")
	case len(s) > maxSlugLen || !slugForm.MatchString(s):
		return "", Errorf(Invalid, "slug", "简称“%s”只能用小写字母、数字和“-”,最多%d个,例如 tongxiang-2023", clip(oneLine(s)), maxSlugLen)
	}
	return s, nil
}
