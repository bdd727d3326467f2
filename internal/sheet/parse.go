package sheet

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"

	"landmark/internal/landmark"
)

var printedForm = regexp.MustCompile(`^([+-]?[0-9]{1,15}(?:\.[0-9]{1,6})?)[%‰]?$`)

// printedNumber is the number in a printed figure: 82.80% is 82.80. Words and "/"
// have none.
func printedNumber(text string) decimal.NullDecimal {
	f := printedForm.FindStringSubmatch(strings.TrimSpace(text))
	if f == nil {
		return decimal.NullDecimal{}
	}
	d, err := decimal.NewFromString(f[1])
	if err != nil {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(d)
}

var unitForm = regexp.MustCompile(`^(.+)[(（]([^()（）]{1,10})[)）]$`)

// splitName takes a printed indicator apart: ★未来社区建成数量(个) is the key
// indicator 未来社区建成数量, counted in 个.
func splitName(printed string) (name, unit string, key bool) {
	name, key = strings.CutPrefix(strings.TrimSpace(printed), "★")
	name = strings.TrimSpace(name)
	if f := unitForm.FindStringSubmatch(name); f != nil {
		return f[1], f[2], key
	}
	return name, "", key
}

// parseSteps reads the steps of a qualitative indicator: 未启动|推进中=on_track|到位=done.
// A step that says nothing is on track, the last one done; the last can be
// nothing else, for it is the aim.
func parseSteps(text string) ([]landmark.Step, error) {
	if text == "" {
		return nil, nil
	}
	var out []landmark.Step
	seen := map[string]bool{}
	parts := strings.Split(text, "|")
	for i, part := range parts {
		name, meaning, told := strings.Cut(part, "=")
		step := landmark.Step{Name: strings.TrimSpace(name), Meaning: landmark.OnTrack}
		last := i == len(parts)-1
		switch light := landmark.Light(strings.TrimSpace(meaning)); {
		case step.Name == "":
			return nil, fmt.Errorf("第%d个步骤没有名称", i+1)
		case len([]rune(step.Name)) > 30:
			return nil, fmt.Errorf("步骤%s超过30字", quote(step.Name))
		case seen[step.Name]:
			return nil, fmt.Errorf("步骤%s写了两次", quote(step.Name))
		case told && light != landmark.Done && light != landmark.OnTrack && light != landmark.Behind:
			return nil, fmt.Errorf("步骤%s的状态应是 done、on_track、behind 之一,现在是%s", quote(step.Name), quote(meaning))
		case told && (light == landmark.Done) != last:
			return nil, fmt.Errorf("步骤%s:只有最后一步是 done,最后一步只能是 done", quote(step.Name))
		case told:
			step.Meaning = light
		case last:
			step.Meaning = landmark.Done
		}
		seen[step.Name] = true
		out = append(out, step)
	}
	return out, nil
}

func formatSteps(steps []landmark.Step) string {
	parts := make([]string, len(steps))
	for i, s := range steps {
		parts[i] = s.Name + "=" + string(s.Meaning)
	}
	return strings.Join(parts, "|")
}

// parseCurve reads a planned path: 2023-03=20;2023-06=40. Months ascend.
func parseCurve(text string) ([]landmark.CurvePoint, error) {
	var out []landmark.CurvePoint
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		m, amount, ok := strings.Cut(part, "=")
		month, err := landmark.ParseMonth(strings.TrimSpace(m))
		if !ok || err != nil {
			return nil, fmt.Errorf("计划曲线应写成“2023-03=20;2023-06=40”的样子,看不懂%s", quote(part))
		}
		n := printedNumber(amount)
		if !n.Valid || strings.ContainsAny(amount, "%‰") {
			return nil, fmt.Errorf("%s的计划值应是数字,现在是%s", month.Chinese(), quote(amount))
		}
		if len(out) > 0 && month <= out[len(out)-1].Month {
			return nil, fmt.Errorf("计划曲线的月份应从早到晚,%s放错了或写了两次", month.Chinese())
		}
		out = append(out, landmark.CurvePoint{Month: month, Amount: n.Decimal})
	}
	return out, nil
}

func formatCurve(points []landmark.CurvePoint) string {
	parts := make([]string, len(points))
	for i, p := range points {
		parts[i] = p.Month.String() + "=" + plain(p.Amount)
	}
	return strings.Join(parts, ";")
}

// plain prints a decimal with the digits it was entered with: 82.80, not 82.8.
func plain(d decimal.Decimal) string { return d.StringFixed(max(0, -d.Exponent())) }
