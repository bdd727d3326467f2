package view

import (
	"fmt"
	"strconv"

	"landmark/internal/landmark"
)

func itoa(n int) string { return strconv.Itoa(n) }

func themeOf(p Page) string {
	if p.Theme == "light" || p.Theme == "dark" {
		return p.Theme
	}
	return "auto"
}

// ruleText is the light rule in words, at the foot of each page.
func ruleText(r landmark.LightRule) string {
	return fmt.Sprintf("进度比应达进度落后%d个百分点以内为正常,%d至%d为滞后,超过%d为严重滞后(规则自%s起)。"+
		"应报而没有核定值为未报送;按年度、季度报送的指标在不用报的月份为未到期。"+
		"当年累计从0起算,历年累计和时点水平从上年实际值起算;定了计划曲线的按曲线,其余按月均匀推进。",
		r.Tolerance, r.Tolerance, r.RedLine, r.RedLine, r.From.Chinese())
}

func noteText(note string) string {
	if note == "" {
		return ""
	}
	return "(" + note + ")"
}
