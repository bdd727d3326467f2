package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"landmark/internal/landmark"
)

// HistoryPage is GET /history: who did what when. It takes person, department,
// indicator, project, month and act in its address, and before, the id of the
// oldest entry of the page before.
type HistoryPage struct {
	Page
	Entries []HistoryEntry
	Filters HistoryFilters
	Newer   string // address of the newest page; empty on it
	Older   string // address of the next page; empty on the last
	Chain   Chain
}

// HistoryEntry is one line of the history as shown.
type HistoryEntry struct {
	ID        int64
	At        time.Time
	Actor     string
	Role      string
	Address   string
	Act       string
	Object    string
	Month     string // of the report, empty if none
	Before    string
	After     string
	Reason    string
	ChainHash string // first digits; empty: not sealed yet
}

// HistoryLine is an entry with its place in the chain.
type HistoryLine struct {
	landmark.HistoryEntry
	Hash string // hexadecimal, whole; empty: not sealed yet
}

// Chain is the head of the hash chain over the history.
type Chain struct {
	Seq      int64
	Hash     string // hexadecimal, whole
	SealedAt time.Time
}

// HistoryFilters are what the list is narrowed to and could be.
type HistoryFilters struct {
	Person      string
	Project     string // a project's number; no field of the form, but kept
	Departments []Option
	Indicators  []Option
	Months      []Option
	Acts        []Option
	Active      bool
}

// acts are the kinds of acts with their Chinese names, in the order of the form.
var acts = []Option{
	{Value: "report.submit", Text: "报送"}, {Value: "report.sign", Text: "签核"}, {Value: "report.approve", Text: "核定"},
	{Value: "report.return", Text: "退回"}, {Value: "report.correct", Text: "更正"}, {Value: "chase.send", Text: "催报"},
	{Value: "task.update", Text: "任务进展"}, {Value: "milestone.reach", Text: "场景节点"}, {Value: "milestone.withdraw", Text: "撤回场景节点"},
	{Value: "override.set", Text: "改判"}, {Value: "override.withdraw", Text: "撤销改判"},
	{Value: "period.set", Text: "调整报送日期"}, {Value: "extension.grant", Text: "延期"},
	{Value: "target.revise", Text: "调整目标"}, {Value: "curve.set", Text: "计划曲线"}, {Value: "definition.set", Text: "口径"},
	{Value: "indicator.nature", Text: "指标性质"}, {Value: "rule.set", Text: "状态规则"},
	{Value: "plan.import", Text: "导入方案"}, {Value: "target.import", Text: "导入目标"}, {Value: "curve.import", Text: "导入计划曲线"}, {Value: "baseline.import", Text: "导入基数"},
	{Value: "bulletin.issue", Text: "印发通报"}, {Value: "letter.issue", Text: "印发催办函"}, {Value: "letterhead.set", Text: "发文设置"}, {Value: "account.add", Text: "新增账号"}, {Value: "account.change", Text: "修改账号"}, {Value: "account.disable", Text: "停用账号"}, {Value: "account.enable", Text: "启用账号"}, {Value: "account.password", Text: "修改密码"}, {Value: "account.email", Text: "修改邮箱"},
	{Value: "robot.add", Text: "添加机器人"}, {Value: "robot.remove", Text: "删除机器人"}, {Value: "delivery.resend", Text: "重发通知"},
	{Value: "account.factor_on", Text: "开启两步验证"}, {Value: "account.factor_off", Text: "关闭两步验证"}, {Value: "account.factor_reset", Text: "重置两步验证"},
	{Value: "account.link", Text: "关联统一认证"}, {Value: "account.unlink", Text: "取消关联"},
	{Value: "account.recovery", Text: "用恢复码登录或确认"}, {Value: "account.recovery_new", Text: "重新生成恢复码"},
	{Value: "department.add", Text: "新增部门"}, {Value: "department.sign_off", Text: "部门签核"}, {Value: "department.alias", Text: "部门别名"}, {Value: "department.unalias", Text: "去掉别名"},
}

// actText is an act's Chinese name; one without a name shows as it is stored.
func actText(act string) string {
	for _, o := range acts {
		if o.Value == act {
			return o.Text
		}
	}
	return act
}

// shownHash is how many digits of a hash a row shows.
const shownHash = 10

// NewHistoryPage lays lines out, newest first. older says that more follow.
func NewHistoryPage(page Page, zone *time.Location, lines []HistoryLine, older bool, chain Chain) HistoryPage {
	page.Title, page.Body, page.Wide = "变更记录", "page-history", true
	p := HistoryPage{Page: page, Chain: chain, Filters: newHistoryFilters(page)}
	if !chain.SealedAt.IsZero() {
		p.Chain.SealedAt = chain.SealedAt.In(zone)
	}
	for _, l := range lines {
		e := HistoryEntry{
			ID: l.ID, At: l.At.In(zone), Actor: l.Actor.Name, Role: l.Actor.Role.Chinese(), Address: l.Actor.Address, Act: actText(l.Act),
			Object: l.Object, Before: plainJSON(l.Before), After: plainJSON(l.After), Reason: l.Reason, ChainHash: l.Hash[:min(len(l.Hash), shownHash)],
		}
		if l.Actor.Role == "" {
			e.Role = "程序"
		}
		if !l.Month.IsZero() {
			e.Month = l.Month.Chinese()
		}
		p.Entries = append(p.Entries, e)
	}
	if page.Query.Get("before") != "" {
		p.Newer = page.With("before", "")
	}
	if older && len(lines) > 0 {
		p.Older = page.With("before", fmt.Sprint(lines[len(lines)-1].ID))
	}
	return p
}

func newHistoryFilters(page Page) HistoryFilters {
	q := page.Query
	f := HistoryFilters{Person: q.Get("person"), Project: q.Get("project")}
	for _, k := range []string{"person", "project", "department", "indicator", "month", "act"} {
		f.Active = f.Active || q.Get(k) != ""
	}
	f.Acts = options(q.Get("act"), slices.Clone(acts))
	if page.Plan == nil {
		return f
	}
	for _, d := range page.Plan.Departments() {
		f.Departments = append(f.Departments, Option{Value: d.Slug, Text: d.Name})
	}
	for _, ind := range page.Plan.Indicators() {
		f.Indicators = append(f.Indicators, Option{Value: ind.Code, Text: ind.Code + " " + ind.Name})
	}
	for _, m := range page.Plan.Months() {
		f.Months = append(f.Months, Option{Value: m.String(), Text: m.Chinese()})
	}
	options(q.Get("department"), f.Departments)
	options(q.Get("indicator"), f.Indicators)
	options(q.Get("month"), f.Months)
	return f
}

// fieldNames are the words for what stands before and after a change.
var fieldNames = map[string]string{
	"value": "值", "step": "步骤", "state": "状态", "revision": "版次", "note": "说明", "reason": "原因", "light": "状态", "until": "有效期至", "from": "起",
	"on": "日期", "opens": "开放", "due": "截止", "grace": "宽限", "lock": "锁定", "target": "目标", "text": "内容", "basis": "依据", "kind": "性质",
	"direction": "方向", "decimals": "小数位数", "steps": "步骤", "curve": "计划值", "unit": "单位", "measured": "报送频次", "confirmed": "牵头单位确认", "tolerance": "容差", "red_line": "红线", "name": "名称", "role": "角色", "department": "单位",
	"title": "标题", "slug": "地址名", "projects": "项目", "indicators": "指标", "number": "期号", "year": "年份", "sha256": "校验值", "type": "类型", "bytes": "字节",
	"org": "发文机关标志", "sign": "署名", "bulletin_number": "通报文号", "letter_number": "催办函文号", "bulletin_used": "通报已用到", "letter_used": "催办函已用到",
	"addressee": "主送", "copies": "抄送", "printer": "印发机关", "contact": "联系人",
}

// wordNames are the words for stored codes.
var wordNames = map[string]string{
	"draft": "草稿", "submitted": "已提交", "signed": "已签核", "approved": "已核定", "returned": "已退回", "true": "是", "false": "否",
}

// plainJSON says what is stored of a change in words: 值 25.17;状态 已提交.
func plainJSON(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber() // amounts stay as written
	var v any
	if err := dec.Decode(&v); err != nil {
		return string(raw)
	}
	return plainValue(v)
}

func plainValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			text := plainValue(v[k])
			if text == "" {
				continue
			}
			name, ok := fieldNames[k]
			if !ok {
				name = k
			}
			parts = append(parts, name+" "+text)
		}
		return strings.Join(parts, ";")
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = plainValue(x)
		}
		return strings.Join(parts, "、")
	default:
		text := fmt.Sprint(v)
		if word, ok := wordNames[text]; ok {
			return word
		}
		return text
	}
}

func i64(n int64) string { return strconv.FormatInt(n, 10) }
