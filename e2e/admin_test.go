package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	browserproto "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// put gives a field what a person gives it: types over what it holds, picks an
// option, ticks or clears a box.
func put(t *testing.T, ctx context.Context, selector, value string) {
	t.Helper()
	switch kind := get(t, ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q)?.type ?? 'missing'`, selector))); kind {
	case "missing":
		t.Fatalf("e2e: no field %s on %s", selector, address(t, ctx))
	case "checkbox":
		if held(t, ctx, selector) != value {
			do(t, ctx, chromedp.Click(selector))
		}
	case "select-one", "date": // a list and a calendar of the browser's own, not the page's
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event('change', {bubbles: true})) })()`, selector, value)))
		if got := held(t, ctx, selector); got != value {
			t.Fatalf("e2e: %s takes %q for %q", selector, got, value)
		}
	default:
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).select()`, selector)))
		if value == "" {
			do(t, ctx, chromedp.SendKeys(selector, "\b"))
		} else {
			typeIn(t, ctx, selector, value)
		}
	}
}

// held is what a field holds; of a box "1" or nothing.
func held(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return get(t, ctx, chromedp.Evaluate[string](fmt.Sprintf(`(e => e.type === 'checkbox' ? (e.checked ? '1' : '') : e.value)(document.querySelector(%q))`, selector)))
}

// field finds a field of a form by the name it is sent under.
func field(form, name string) string {
	return fmt.Sprintf(`#form-%s [name="%s"]:not([type=hidden])`, form, name)
}

// send fills fields of a form of upkeep, by name and value, and sends it.
func send(t *testing.T, ctx context.Context, form string, pairs ...string) int {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`for (const d of document.querySelectorAll('#form-%s details')) d.open = true`, form)))
	for i := 0; i < len(pairs); i += 2 {
		put(t, ctx, field(form, pairs[i]), pairs[i+1])
	}
	return press(t, ctx, "#form-"+form+" button[type=submit]")
}

// taken sends a form that must be taken, and the next page must say so.
func taken(t *testing.T, ctx context.Context, form, said string, pairs ...string) {
	t.Helper()
	if got := send(t, ctx, form, pairs...); got != http.StatusOK {
		t.Fatalf("%s: %d, want 200\n%s", form, got, words(t, ctx))
	}
	holds(t, ctx, ".flash", said)
}

// turnedDown sends a form with something wrong in the field bad. The page must
// say what in the summary, which has the focus and leads to the field, and
// beside the field; and must hold all that was typed.
func turnedDown(t *testing.T, ctx context.Context, form, bad, say string, pairs ...string) {
	t.Helper()
	if got := send(t, ctx, form, pairs...); got != http.StatusUnprocessableEntity {
		t.Fatalf("%s: %d, want 422\n%s", form, got, words(t, ctx))
	}
	if got := get(t, ctx, chromedp.Evaluate[string](`document.activeElement.className`)); got != "errsum" {
		t.Errorf("%s: the focus is on %q, want the summary", form, got)
	}
	type found struct {
		Summary, Beside string
		Invalid, Near   bool
	}
	got := get(t, ctx, chromedp.Evaluate[found](fmt.Sprintf(`(() => {
		const e = document.querySelector(%q), beside = document.getElementById(e.id + '-e');
		return {
			Summary: document.querySelector('.errsum a[href="#' + e.id + '"]')?.innerText ?? '',
			Beside: beside?.innerText ?? '',
			Invalid: e.getAttribute('aria-invalid') === 'true' && (e.getAttribute('aria-describedby') ?? '').split(' ').includes(e.id + '-e'),
			Near: !!beside && Math.abs(beside.getBoundingClientRect().top - e.getBoundingClientRect().bottom) < 80,
		};
	})()`, field(form, bad))))
	if !strings.Contains(got.Summary, say) || !strings.Contains(got.Beside, say) || !got.Invalid || !got.Near {
		t.Errorf("%s: %q must be said in the summary and beside the field, got %+v", form, say, got)
	}
	for i := 0; i < len(pairs); i += 2 {
		if kept := held(t, ctx, field(form, pairs[i])); kept != pairs[i+1] {
			t.Errorf("%s: %s holds %q, typed was %q", form, pairs[i], kept, pairs[i+1])
		}
	}
	// The link of the summary leads to the field itself.
	do(t, ctx, chromedp.Click(".errsum a"))
	if got := get(t, ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(e => e.getBoundingClientRect().bottom > 0 && e.getBoundingClientRect().top < innerHeight)(document.querySelector(%q))`, field(form, bad)))); !got {
		t.Errorf("%s: the summary does not lead to the field", form)
	}
}

// told looks for an act at the top of the history, newest first.
func told(t *testing.T, ctx context.Context, base, query string, want ...string) {
	t.Helper()
	open(t, ctx, base+"/history?"+query, http.StatusOK)
	lines := texts(t, ctx, ".tbl--hist tbody tr")
	if len(lines) == 0 {
		t.Errorf("the history has nothing of %s", query)
		return
	}
	for _, w := range append([]string{"审核员乙", "市府办"}, want...) {
		if !strings.Contains(lines[0], w) {
			t.Errorf("the history says %q of %s, want %q in it", lines[0], query, w)
		}
	}
}

// says fails the test unless the page holds each of the texts.
func says(t *testing.T, ctx context.Context, want ...string) {
	t.Helper()
	page := words(t, ctx)
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("%s does not say %q", address(t, ctx), w)
		}
	}
}

// saysNot fails the test if the page holds one of the texts.
func saysNot(t *testing.T, ctx context.Context, unwanted ...string) {
	t.Helper()
	page := words(t, ctx)
	for _, w := range unwanted {
		if strings.Contains(page, w) {
			t.Errorf("%s says %q", address(t, ctx), w)
		}
	}
}

// What the office says of the plan's indicators, each form of the page.
func TestIndicatorUpkeepInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	const here = "/admin/indicators/3.1"

	t.Run("target", func(t *testing.T) {
		ctx := as(t, base, "office")
		open(t, ctx, base+"/admin/indicators?department=weijian", http.StatusOK)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('.tbl--upkeep a')].find(a => a.innerText.startsWith('3.1 ')).id = 'way'`))
		press(t, ctx, "#way")
		turnedDown(t, ctx, "target", "basis", "请填写调整依据的文号", "target", "25000", "from", "2023-09", "basis", "", "basis_on", "2023-08-20")
		inspect(t, ctx, "upkeep-refused-target")
		turnedDown(t, ctx, "target", "target", "要填数字", "target", "两万五", "from", "2023-09", "basis", "桐政办发〔2023〕12号", "basis_on", "2023-08-20")
		taken(t, ctx, "target", "目标已调整", "target", "25000")
		says(t, ctx, "2023年9月起", "桐政办发〔2023〕12号", "2023年8月20日", "审核员乙")
		inspect(t, ctx, "upkeep-target")
		for month, want := range map[string]string{"2023-08": "目标 20,000 人", "2023-09": "目标 25,000 人"} {
			open(t, ctx, base+"/indicators/3.1?month="+month, http.StatusOK)
			holds(t, ctx, ".readout__say", want)
		}
		holds(t, ctx, ".page-head--ind", "目标")
		told(t, ctx, base, "indicator=3.1&act=target.revise", "20000", "25000", "桐政办发〔2023〕12号", "2023年9月")
	})

	t.Run("nature", func(t *testing.T) {
		ctx := as(t, base, "office")
		open(t, ctx, base+"/admin", http.StatusOK)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('#todo a')].find(a => a.innerText.startsWith('9.3 ')).id = 'way'`))
		press(t, ctx, "#way")
		says(t, ctx, "还没有确认")
		turnedDown(t, ctx, "nature", "decimals", "0到6", "decimals", "七", "confirmed", "1", "reason", "民政局10月11日来函")
		inspect(t, ctx, "upkeep-refused-nature")
		taken(t, ctx, "nature", "指标性质已保存", "decimals", "0")
		says(t, ctx, "民政局10月11日来函")
		saysNot(t, ctx, "还没有确认")
		open(t, ctx, base+"/admin", http.StatusOK)
		if todo := strings.Join(texts(t, ctx, "#todo tbody th"), " "); todo == "" || strings.Contains(todo, "9.3 ") {
			t.Errorf("what needs attention is %q, want all but 9.3", todo)
		}
		told(t, ctx, base, "indicator=9.3&act=indicator.nature", "民政局10月11日来函")
		// The steps of a qualitative one.
		open(t, ctx, base+"/admin/indicators/3.3", http.StatusOK)
		turnedDown(t, ctx, "nature", "step[5]", "不要有", "step[5]", "验收=完", "meaning[5]", "done", "meaning[4]", "on_track")
		taken(t, ctx, "nature", "指标性质已保存", "step[5]", "验收")
		open(t, ctx, base+"/indicators/3.3", http.StatusOK)
		holds(t, ctx, ".steps--ind", "验收")
		told(t, ctx, base, "indicator=3.3&act=indicator.nature", "验收")
	})

	t.Run("curve", func(t *testing.T) {
		ctx := as(t, base, "office")
		open(t, ctx, base+"/admin/indicators/2.2", http.StatusOK)
		turnedDown(t, ctx, "curve", "point[2023-09]", "只填数字", "point[2023-06]", "2", "point[2023-09]", "五所", "point[2023-12]", "10", "from", "2023-09", "basis", "年度工作计划")
		inspect(t, ctx, "upkeep-refused-curve")
		taken(t, ctx, "curve", "计划曲线已保存", "point[2023-09]", "5")
		says(t, ctx, "6月 2;9月 5;12月 10", "年度工作计划")
		inspect(t, ctx, "upkeep-curve")
		open(t, ctx, base+"/indicators/2.2?month=2023-09", http.StatusOK)
		says(t, ctx, "计划")
		told(t, ctx, base, "indicator=2.2&act=curve.set", "年度工作计划", "2023年9月")
		open(t, ctx, base+"/admin/indicators?state=curve", http.StatusOK)
		says(t, ctx, "2.2 ", "3个月有计划值")
	})

	t.Run("definition", func(t *testing.T) {
		ctx := as(t, base, "office")
		open(t, ctx, base+"/admin/indicators/4.1", http.StatusOK)
		turnedDown(t, ctx, "definition", "definition", "最多4000个字", "definition", strings.Repeat("长", 4001), "from", "2023-09")
		inspect(t, ctx, "upkeep-refused-definition")
		const scope = "护理型床位含公建民营机构,以民政系统登记数为准。"
		taken(t, ctx, "definition", "口径已保存", "definition", scope)
		says(t, ctx, scope)
		open(t, ctx, base+"/indicators/4.1?month=2023-09", http.StatusOK)
		says(t, ctx, scope)
		told(t, ctx, base, "indicator=4.1&act=definition.set", "护理型床位")

		// Another tab was quicker: both versions stand on the page.
		other := as(t, base, "office")
		open(t, other, base+"/admin/indicators/4.1", http.StatusOK)
		open(t, ctx, base+"/admin/indicators/4.1", http.StatusOK)
		taken(t, other, "definition", "口径已保存", "definition", "别处写的口径", "from", "2023-10")
		if got := send(t, ctx, "definition", "definition", "这里写的口径", "from", "2023-10"); got != http.StatusConflict {
			t.Fatalf("an old form: %d, want 409", got)
		}
		says(t, ctx, "刚被别人改动过", "别处写的口径")
		if got := held(t, ctx, field("definition", "definition")); got != "这里写的口径" {
			t.Errorf("the form holds %q", got)
		}
		inspect(t, ctx, "upkeep-stale")
		taken(t, ctx, "definition", "口径已保存")
	})

	t.Run("override", func(t *testing.T) {
		ctx := as(t, base, "office")
		open(t, ctx, base+here, http.StatusOK)
		turnedDown(t, ctx, "override", "reason", "请写明", "light", "critical", "from", "2023-08", "until", "2023-08", "reason", "")
		inspect(t, ctx, "upkeep-refused-override")
		turnedDown(t, ctx, "override", "until", "不能早于", "light", "critical", "from", "2023-08", "until", "2023-07", "reason", "设备停机")
		taken(t, ctx, "override", "已改判", "until", "2023-08")
		inspect(t, ctx, "upkeep-override")
		reader := as(t, base, "viewer")
		open(t, reader, base+"/indicators/3.1?month=2023-08", http.StatusOK)
		holds(t, reader, ".readout__v--s", "严重滞后")
		holds(t, reader, ".readout__was", "滞后")
		holds(t, reader, ".callout", "设备停机")
		holds(t, reader, ".callout", "2023年8月")
		inspect(t, reader, "indicator-overridden")
		open(t, reader, base+"/?month=2023-08", http.StatusOK)
		says(t, reader, "原滞后")
		open(t, reader, base+"/indicators/3.1?month=2023-09", http.StatusOK) // it has expired
		if got := texts(t, reader, ".callout"); len(got) > 0 {
			t.Errorf("September still speaks of the override: %q", got)
		}
		told(t, ctx, base, "indicator=3.1&act=override.set", "设备停机", "严重滞后")
		open(t, ctx, base+"/admin/indicators?state=override&month=2023-08", http.StatusOK)
		open(t, ctx, base+here, http.StatusOK)
		turnedDown(t, ctx, "withdraw", "override", "请选择", "override", "", "reason", "设备已修好")
		inspect(t, ctx, "upkeep-refused-withdraw")
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('#withdraw-override').selectedIndex = 1`))
		taken(t, ctx, "withdraw", "改判已撤销", "reason", "设备已修好")
		says(t, ctx, "已撤销")
		open(t, reader, base+"/indicators/3.1?month=2023-08", http.StatusOK)
		holds(t, reader, ".readout__v--s", "滞后")
		if got := texts(t, reader, ".readout__was, .callout"); len(got) > 0 {
			t.Errorf("August still speaks of the override: %q", got)
		}
		told(t, ctx, base, "indicator=3.1&act=override.withdraw", "设备已修好")
	})
}

// The dates of a month, and one department's extension.
func TestPeriodUpkeepInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/admin/periods?edit=2023-10", http.StatusOK)
	turnedDown(t, ctx, "period", "grace", "不能早于截止日", "due", "2023-11-08", "grace", "2023-11-06", "lock", "2023-11-17", "reason", "系统切换")
	inspect(t, ctx, "upkeep-refused-period")
	taken(t, ctx, "period", "报送日期已保存", "grace", "2023-11-10")
	says(t, ctx, "调整过", "系统切换", "11月8日", "11月10日", "11月17日")
	inspect(t, ctx, "upkeep-periods")
	told(t, ctx, base, "act=period.set", "系统切换", "2023-11-08")
	reporter := as(t, base, "reporter-minzheng")
	open(t, reporter, base+"/reports/2023-10", http.StatusOK)
	says(t, reporter, "11月8日")

	open(t, ctx, base+"/admin/periods", http.StatusOK)
	turnedDown(t, ctx, "extension", "due", "要晚于这一天", "department", "minzheng", "month", "2023-10", "due", "2023-11-01", "reason", "部门系统升级")
	inspect(t, ctx, "upkeep-refused-extension")
	taken(t, ctx, "extension", "已延期", "due", "2023-11-20")
	says(t, ctx, "民政局到11月20日", "部门系统升级")
	inspect(t, ctx, "upkeep-extension")
	told(t, ctx, base, "act=extension.grant", "民政局", "部门系统升级", "2023-11-20")
	open(t, reader(t, base), base+"/departments/minzheng", http.StatusOK)
	open(t, reporter, base+"/reports/2023-10", http.StatusOK)
	says(t, reporter, "11月20日")
}

func reader(t *testing.T, base string) context.Context {
	t.Helper()
	return as(t, base, "viewer")
}

// A light rule is looked at before it is adopted.
func TestRuleUpkeepInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/admin/rules", http.StatusOK)
	turnedDown(t, ctx, "rule", "red_line", "大于容差点数", "tolerance", "20", "red_line", "15", "from", "2023-09")
	inspect(t, ctx, "upkeep-refused-rule")
	if got := send(t, ctx, "rule", "tolerance", "6", "red_line", "20"); got != http.StatusOK {
		t.Fatalf("preview: %d", got)
	}
	changes := texts(t, ctx, "#changes tbody tr")
	note := strings.Join(texts(t, ctx, "#changes h2"), "")
	if len(changes) == 0 || !strings.Contains(note, fmt.Sprintf("%d个", len(changes))) {
		t.Fatalf("the preview says %q and lists %d", note, len(changes))
	}
	if all := strings.Join(changes, "\n"); !strings.Contains(all, "结直肠癌筛查") || !strings.Contains(all, "2023年9月") || strings.Contains(all, "2023年8月") {
		t.Errorf("the preview lists %s", all)
	}
	open2 := as(t, base, "viewer")
	open(t, open2, base+"/indicators/3.1?month=2023-09", http.StatusOK)
	holds(t, open2, ".readout__v--s", "滞后") // a preview changes nothing
	inspect(t, ctx, "upkeep-preview")
	turnedDown(t, ctx, "adopt", "reason", "请写明为什么", "reason", "")
	inspect(t, ctx, "upkeep-refused-adopt")
	taken(t, ctx, "adopt", "判定规则已采用", "reason", "与考核办法一致")
	says(t, ctx, "2023年9月起", "与考核办法一致", "6点")
	inspect(t, ctx, "upkeep-rules")
	for month, want := range map[string]string{"2023-08": "容差5点", "2023-09": "容差6点"} {
		open(t, open2, base+"/indicators/3.1?month="+month, http.StatusOK)
		holds(t, open2, ".readout__say", want)
	}
	open(t, open2, base+"/indicators/3.1?month=2023-09", http.StatusOK)
	holds(t, open2, ".readout__v--s", "正常")
	told(t, ctx, base, "act=rule.set", "与考核办法一致")
	// Nothing would change any more.
	open(t, ctx, base+"/admin/rules/preview?from=2023-09&tolerance=6&red_line=20", http.StatusOK)
	says(t, ctx, "没有一个状态会改变")
}

// A year's plan is copied; both are kept up from then on.
func TestPlanUpkeepInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/admin/plans", http.StatusOK)
	turnedDown(t, ctx, "copy", "published", "2024年内", "title", "桐乡市2024年共同富裕十大标志性成果", "published", "2023-12-31")
	inspect(t, ctx, "upkeep-refused-copy")
	turnedDown(t, ctx, "copy", "slug", "方案代号", "slug", "二〇二四", "published", "2024-04-30")
	taken(t, ctx, "copy", "新方案已建立", "slug", "tongxiang-2024")
	says(t, ctx, "桐乡市2024年共同富裕十大标志性成果", "tongxiang-2024", "2个")
	inspect(t, ctx, "upkeep-plans")
	told(t, ctx, base, "act=plan.import", "2024")
	for plan, want := range map[string]string{"tongxiang-2023": "还没有写口径", "tongxiang-2024": "还没有确认"} {
		open(t, ctx, base+"/admin/indicators/3.1?plan="+plan, http.StatusOK)
		says(t, ctx, want)
	}
	for _, path := range []string{"/admin", "/admin/indicators", "/admin/indicators/3.1", "/admin/periods", "/admin/rules", "/admin/departments", "/admin/users", "/", "/reports"} {
		t.Run(strings.ReplaceAll(path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			ctx := as(t, base, "office")
			open(t, ctx, base+path, http.StatusOK) // of the new plan, which has no report
			inspect(t, ctx, "upkeep-2024"+strings.ReplaceAll(path, "/", "-"))
		})
	}
}

// Accounts: made, changed, given a new password, shut and opened.
func TestUserUpkeepInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	ctx := as(t, base, "office")
	open(t, ctx, base+"/admin/users", http.StatusOK)
	turnedDown(t, ctx, "add", "name", "小写字母", "name", "李四", "display_name", "李四", "role", "reporter", "department", "minzheng")
	inspect(t, ctx, "upkeep-refused-add")
	turnedDown(t, ctx, "add", "department", "要选定部门", "name", "li.si", "department", "")
	if got := send(t, ctx, "add", "department", "minzheng"); got != http.StatusOK {
		t.Fatalf("add: %d\n%s", got, words(t, ctx))
	}
	first := get(t, ctx, chromedp.Text(".secret"))
	if !regexp.MustCompile(`^[a-z0-9-]{19}$`).MatchString(first) {
		t.Fatalf("the password is %q", first)
	}
	inspect(t, ctx, "upkeep-secret")
	told(t, ctx, base, "act=account.add", "li.si", "填报员")
	open(t, ctx, base+"/admin/users/li.si", http.StatusOK)
	saysNot(t, ctx, first) // printed once
	says(t, ctx, "还没有改初始密码")

	// The new one signs in, must choose a password, and sees the own department's form.
	new := tab(t)
	open(t, new, base+"/login", http.StatusOK)
	if got := enter(t, new, "li.si", first); got != http.StatusOK || !strings.Contains(address(t, new), "/account") {
		t.Fatalf("sign in: %d at %s", got, address(t, new))
	}
	do(t, new, chromedp.SetValue("#old", first), chromedp.SetValue("#new", password), chromedp.SetValue("#again", password))
	if got := press(t, new, `form[action="/account/password"] button[type=submit]`); got != http.StatusOK {
		t.Fatalf("a password of one's own: %d\n%s", got, words(t, new))
	}
	open(t, new, base+"/reports/2023-10", http.StatusOK)
	says(t, new, "民政局")
	open(t, new, base+"/admin", http.StatusForbidden)
	inspect(t, new, "forbidden")

	// Another role, another department.
	turnedDown(t, ctx, "update", "department", "不选部门", "display_name", "李四(教育)", "role", "office", "department", "jiaoyu")
	inspect(t, ctx, "upkeep-refused-update")
	taken(t, ctx, "update", "账号已保存", "role", "leader")
	says(t, ctx, "李四(教育)", "部门负责人")
	told(t, ctx, base, "act=account.change", "li.si")
	open(t, new, base+"/reports/2023-10?department=minzheng", http.StatusForbidden) // from the next click on
	open(t, new, base+"/signoff", http.StatusOK)

	open(t, ctx, base+"/admin/users/li.si", http.StatusOK)
	if got := press(t, ctx, "#form-password button"); got != http.StatusOK {
		t.Fatalf("a new password: %d", got)
	}
	second := get(t, ctx, chromedp.Text(".secret"))
	if second == first {
		t.Error("the new password is the old one")
	}
	told(t, ctx, base, "act=account.password", "li.si")
	open(t, new, base+"/account", http.StatusOK)
	if got := address(t, new); !strings.Contains(got, "/login") {
		t.Errorf("signed in with the old password, and still at %s", got)
	}

	open(t, ctx, base+"/admin/users/li.si", http.StatusOK)
	taken(t, ctx, "disable", "账号已停用")
	told(t, ctx, base, "act=account.disable", "li.si")
	open(t, new, base+"/login", http.StatusOK)
	if got := enter(t, new, "li.si", second); got != http.StatusUnprocessableEntity {
		t.Errorf("a shut account signs in: %d", got)
	}
	open(t, ctx, base+"/admin/users?state=disabled", http.StatusOK)
	says(t, ctx, "li.si")
	inspect(t, ctx, "upkeep-users-disabled")
	open(t, ctx, base+"/admin/users/li.si", http.StatusOK)
	inspect(t, ctx, "upkeep-user-disabled")
	taken(t, ctx, "enable", "账号已启用")
	told(t, ctx, base, "act=account.enable", "li.si")
	open(t, ctx, base+"/admin/users/office", http.StatusOK)
	says(t, ctx, "这是您自己的账号")
	turnedDown(t, ctx, "update", "role", "不能改自己的角色", "role", "viewer")
	open(t, ctx, base+"/admin/users?role=office&department=minzheng", http.StatusOK)
	says(t, ctx, "没有符合条件的账号")
	inspect(t, ctx, "upkeep-users-none")
}

// Departments: added, found under other printed names, their leader's sign-off
// asked for; then the leader refuses and signs, and the office sees it.
func TestDepartmentUpkeepInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	office := as(t, base, "office")
	open(t, office, base+"/admin/departments", http.StatusOK)
	turnedDown(t, office, "add", "slug", "部门代码", "name", "文旅局", "slug", "文旅", "collective", "1")
	inspect(t, office, "upkeep-refused-department")
	taken(t, office, "add", "部门已新增", "slug", "wenlv", "collective", "")
	says(t, office, "wenlv", "34个")
	told(t, office, base, "act=department.add", "文旅局")
	open(t, office, base+"/admin/departments", http.StatusOK)
	turnedDown(t, office, "alias", "printed", "已经是桐城委", "department", "wenlv", "printed", "桐城委(桐城集团)")
	inspect(t, office, "upkeep-refused-alias")
	taken(t, office, "alias", "别名已加", "printed", "文旅局(体育局)")
	holds(t, office, "#departments", "文旅局(体育局)")
	told(t, office, base, "act=department.alias", "文旅局", "文旅局(体育局)")
	open(t, office, base+"/admin/departments", http.StatusOK)
	turnedDown(t, office, "unalias", "alias", "请选择", "alias", "")
	taken(t, office, "unalias", "别名已去掉", "alias", "文旅局(体育局)")
	told(t, office, base, "act=department.unalias", "文旅局(体育局)")
}

// A department whose leader must sign: the reporter submits, the leader sends it
// back, then signs, and only then the office can approve.
func TestSignOffInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	office, reporter, leader := as(t, base, "office"), as(t, base, "reporter-renshe"), as(t, base, "leader-renshe")
	open(t, leader, base+"/signoff", http.StatusOK)
	inspect(t, leader, "signoff-empty")
	open(t, office, base+"/admin/departments", http.StatusOK)
	do(t, office, chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('#departments tbody tr')].find(r => r.querySelector('th').innerText === '人社局').querySelector('button').id = 'way'`))
	if got := press(t, office, "#way"); got != http.StatusOK {
		t.Fatalf("ask for sign-off: %d", got)
	}
	holds(t, office, ".flash", "签核已改")
	told(t, office, base, "act=department.sign_off", "人社局", "不要签核", "要签核")

	const form = "/reports/2023-09"
	submit := func(figures ...string) {
		t.Helper()
		open(t, reporter, base+form, http.StatusOK)
		for i := 0; i < len(figures); i += 2 {
			typeIn(t, reporter, figures[i], figures[i+1])
			judged(t, reporter, figures[i][1:])
		}
		for _, id := range get(t, reporter, chromedp.Evaluate[[]string](`[...document.querySelectorAll('.field__warn:not([hidden]) textarea')].map(e => '#' + e.id)`)) {
			typeIn(t, reporter, id, "评定安排在四季度")
		}
		if got := press(t, reporter, submitButton); got != http.StatusOK {
			t.Fatalf("submit: %d\n%s", got, words(t, reporter))
		}
	}
	submit("#i7-1", "36", "#i7-2", "41.5", "#i7-3", "78")

	// The office sees it, and cannot approve it yet.
	open(t, office, base+"/review?month=2023-09", http.StatusOK)
	says(t, office, "待部门负责人签核")
	unfold(t, office)
	if got := get(t, office, chromedp.Evaluate[bool](`!!document.querySelector('#renshe button[value="approve"]')`)); got {
		t.Error("the office is offered to approve what nobody has signed")
	}
	inspect(t, office, "review-unsigned")

	// The leader refuses one: not without a reason, then with one.
	only := func(i int) {
		t.Helper()
		unfold(t, leader)
		do(t, leader, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelectorAll('#renshe input[type=checkbox]').forEach((e, i) => { e.checked = i === %d })`, i)))
	}
	open(t, leader, base+"/signoff?month=2023-09", http.StatusOK)
	inspect(t, leader, "signoff")
	only(1)
	if got := press(t, leader, `#renshe button[value="return"]`); got != http.StatusUnprocessableEntity {
		t.Fatalf("refused without a reason: %d, want 422", got)
	}
	holds(t, leader, ".errsum", "请写明为什么退回")
	holds(t, leader, "#reason-renshe-e", "请写明为什么退回")
	inspect(t, leader, "signoff-refused")
	only(1)
	typeIn(t, leader, "#reason-renshe", "请与学子码后台核对")
	if got := press(t, leader, `#renshe button[value="return"]`); got != http.StatusOK {
		t.Fatalf("send back: %d", got)
	}
	holds(t, leader, ".flash", "已退回 1 项")
	unfold(t, leader)
	if got := press(t, leader, `#renshe button[value="sign"]`); got != http.StatusOK {
		t.Fatalf("sign: %d", got)
	}
	holds(t, leader, ".flash", "签核")

	// The reporter reads why, puts it right, the leader signs.
	open(t, reporter, base+form, http.StatusOK)
	holds(t, reporter, "#i7-2-row .frow__state", "请与学子码后台核对")
	submit("#i7-2", "42.1")
	open(t, leader, base+"/signoff?month=2023-09", http.StatusOK)
	unfold(t, leader)
	holds(t, leader, "#renshe", "42.1")
	if got := press(t, leader, `#renshe button[value="sign"]`); got != http.StatusOK {
		t.Fatalf("sign: %d", got)
	}
	open(t, office, base+"/history?act=report.sign&department=renshe", http.StatusOK)
	if lines := texts(t, office, ".tbl--hist tbody tr"); len(lines) != 3 || !strings.Contains(lines[0], "负责人丙") {
		t.Errorf("the history has %q, want three signatures", lines)
	}

	// Now the office has it, and approves.
	open(t, office, base+"/review?month=2023-09", http.StatusOK)
	unfold(t, office)
	holds(t, office, "#renshe", "42.1")
	inspect(t, office, "review-signed")
	if got := press(t, office, `#renshe button[value="approve"]`); got != http.StatusOK {
		t.Fatalf("approve: %d", got)
	}
	holds(t, office, ".flash", "已通过 3 项")
	open(t, office, base+"/indicators/7.2?month=2023-09", http.StatusOK)
	holds(t, office, ".readout", "42.1")
}

// download clicks a link and gives the file that comes, and the name it came
// under.
func download(t *testing.T, ctx context.Context, selector string) (name string, content []byte) {
	t.Helper()
	dir := t.TempDir()
	params := browserproto.SetDownloadBehaviorParams{Behavior: browserproto.SetDownloadBehaviorBehaviorAllowAndName,
		BrowserContextID: chromedp.FromContext(ctx).BrowserContextID, DownloadPath: dir, EventsEnabled: new(true)}
	if _, err := chromedp.CallBrowser(ctx, browserproto.SetDownloadBehavior, params); err != nil {
		t.Fatalf("e2e: take downloads: %v", err)
	}
	type file struct{ guid, name string }
	var begun file
	site := get(t, ctx, chromedp.Evaluate[string](`location.origin`))
	done := make(chan file, 1)
	listening, end := context.WithCancel(ctx)
	defer end()
	err := chromedp.ListenBrowser(listening, func(event any) { // of all tabs: other tests have servers of their own
		switch e := event.(type) {
		case *browserproto.EventDownloadWillBegin:
			if begun.guid == "" && strings.HasPrefix(e.URL, site) {
				begun = file{e.GUID, e.SuggestedFilename}
			}
		case *browserproto.EventDownloadProgress:
			if e.GUID == begun.guid && e.State == browserproto.DownloadProgressStateCompleted {
				select {
				case done <- begun:
				default: // said already
				}
			}
		}
	})
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	do(t, ctx, chromedp.Click(selector))
	select {
	case got := <-done:
		content, err := os.ReadFile(filepath.Join(dir, got.guid))
		if err != nil {
			t.Fatal(err)
		}
		return got.name, content
	case <-ctx.Done():
		t.Fatalf("e2e: %s brings no file", selector)
	}
	return "", nil
}

// A file goes from the reporter to the office as it was, and to nobody else.
func TestEvidenceInTheBrowser(t *testing.T) {
	t.Parallel()
	base := startServer(t).URL
	reporter, office := as(t, base, "reporter-renshe"), as(t, base, "office")
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "评定 名单.pdf"), filepath.Join(dir, "网页.pdf")
	content := []byte("%PDF-1.7\n三十六家企业的名单\n%%EOF\n")
	for path, b := range map[string][]byte{good: content, bad: []byte("<html><script>alert(1)</script></html>")} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, reporter, base+"/reports/2023-09", http.StatusOK)
	unfold(t, reporter)
	for id, figure := range map[string]string{"i7-1": "36", "i7-2": "41.5", "i7-3": "78"} {
		typeIn(t, reporter, "#"+id, figure)
		judged(t, reporter, id)
	}
	for _, id := range get(t, reporter, chromedp.Evaluate[[]string](`[...document.querySelectorAll('.field__warn:not([hidden]) textarea')].map(e => '#' + e.id)`)) {
		typeIn(t, reporter, id, "评定安排在四季度")
	}
	do(t, reporter, chromedp.SetUploadFiles("#i7-1-file", []string{bad}))
	if got := press(t, reporter, submitButton); got != http.StatusUnprocessableEntity {
		t.Fatalf("a page that calls itself a PDF: %d, want 422", got)
	}
	holds(t, reporter, "#i7-1-file-e", "网页.pdf")
	if got := get(t, reporter, chromedp.Value("#i7-1")); got != "36" {
		t.Errorf("the refused form holds %q, typed was 36", got)
	}
	inspect(t, reporter, "report-refused-file")
	do(t, reporter, chromedp.SetUploadFiles("#i7-1-file", []string{good}))
	if got := press(t, reporter, submitButton); got != http.StatusOK {
		t.Fatalf("submit: %d\n%s", got, words(t, reporter))
	}
	open(t, office, base+"/review?month=2023-09", http.StatusOK)
	unfold(t, office)
	href := get(t, office, chromedp.Evaluate[string](`document.querySelector('#renshe a.file').getAttribute('href')`))
	name, got := download(t, office, "#renshe a.file")
	if name != "评定 名单.pdf" || !bytes.Equal(got, content) {
		t.Errorf("the office gets %q holding %q", name, got)
	}
	if !strings.Contains(address(t, office), "/review") {
		t.Errorf("the download leads away, to %s", address(t, office))
	}
	for account, want := range map[string]int{"viewer": http.StatusForbidden, "reporter-jiaoyu": http.StatusNotFound} {
		open(t, as(t, base, account), base+href, want)
	}
}
