package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"landmark/internal/landmark"
	"landmark/internal/store"
	"landmark/seeds"
)

// office is a world with somebody of the office in it, who has signed in.
func office(t *testing.T) (*world, *browser) {
	t.Helper()
	w := newWorld(t)
	w.account("office", landmark.RoleOffice, "")
	w.account("viewer", landmark.RoleViewer, "")
	return w, w.enter("office")
}

// formOf reads a form of a page as a browser would send it, by its action field.
func formOf(t *testing.T, page, id string) (action string, values url.Values) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	get := func(n *html.Node, key string) (string, bool) {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val, true
			}
		}
		return "", false
	}
	for form := range root.Descendants() {
		if at, _ := get(form, "id"); form.Data != "form" || at != "form-"+id {
			continue
		}
		action, _ = get(form, "action")
		values = url.Values{}
		for n := range form.Descendants() {
			name, named := get(n, "name")
			switch {
			case !named:
			case n.Data == "input":
				value, _ := get(n, "value")
				kind, _ := get(n, "type")
				if _, checked := get(n, "checked"); kind != "checkbox" || checked {
					values.Set(name, value)
				}
			case n.Data == "textarea":
				value := ""
				if n.FirstChild != nil {
					value = n.FirstChild.Data
				}
				values.Set(name, value)
			case n.Data == "select":
				for o := range n.Descendants() {
					if _, chosen := get(o, "selected"); chosen || o.Data == "option" && !values.Has(name) {
						value, _ := get(o, "value")
						values.Set(name, value)
					}
				}
			}
		}
		return action, values
	}
	t.Fatalf("the page has no form %q:\n%s", id, page)
	return "", nil
}

// fill sends a form of a page with some of its fields changed.
func (b *browser) fill(address, id string, pairs ...string) *http.Response {
	b.w.t.Helper()
	action, values := formOf(b.w.t, bodyOf(b.w.t, b.get(address)), id)
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, action, values.Encode())
}

// done checks that a form was taken and that the next page says so.
func (b *browser) done(res *http.Response, said string) {
	b.w.t.Helper()
	if res.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("status %d, want 303:\n%s", res.StatusCode, bodyOf(b.w.t, res))
	}
	if page := bodyOf(b.w.t, b.get(res.Header.Get("Location"))); !strings.Contains(page, said) {
		b.w.t.Errorf("the next page does not say %q", said)
	}
}

// refused checks that a form came back with its sentence in the summary, linked to
// its field, and beside the field, and that nothing was written.
func (w *world) refused(name string, status int, field, say string, send func() *http.Response) string {
	w.t.Helper()
	before := w.fingerprint()
	res := send()
	page := bodyOf(w.t, res)
	if res.StatusCode != status {
		w.t.Errorf("%s: status %d, want %d", name, res.StatusCode, status)
	}
	if diff := cmp.Diff(before, w.fingerprint()); diff != "" {
		w.t.Errorf("%s: refused, and the database changed:\n%s", name, diff)
	}
	if field == "" {
		if !strings.Contains(page, say) {
			w.t.Errorf("%s: the page does not say %q", name, say)
		}
		return page
	}
	summary := regexp.MustCompile(`<a href="#` + regexp.QuoteMeta(field) + `">[^<]*` + regexp.QuoteMeta(html.EscapeString(say)))
	beside := regexp.MustCompile(`id="` + regexp.QuoteMeta(field) + `-e">(?s:.*?)错误:</span>[^<]*` + regexp.QuoteMeta(html.EscapeString(say)))
	if !summary.MatchString(page) || !beside.MatchString(page) || !strings.Contains(page, `aria-describedby="`+field+`-e`) {
		w.t.Errorf("%s: %q stands not in the summary (%v) and beside #%s (%v)", name, say, summary.MatchString(page), field, beside.MatchString(page))
	}
	return page
}

func TestUpkeepOverview(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	page := bodyOf(t, b.get("/admin"))
	for _, want := range []string{"30项,6项待确认,0项性质待定", "6.2 城乡风貌样板区建成数量", "没有填报员账号", "容差5点,红线20点"} {
		if !strings.Contains(page, want) {
			t.Errorf("the overview lacks %q", want)
		}
	}
	if strings.Contains(bodyOf(t, w.enter("viewer").get("/")), `href="/admin"`) {
		t.Error("a viewer is shown the way to upkeep")
	}
	// What is kept up is the present.
	if page := bodyOf(t, b.get("/admin/indicators/4.1?as_of=2023-07-01T09:00")); strings.Contains(page, "时的样子") || !strings.Contains(page, `id="form-target"`) {
		t.Error("upkeep shows another moment")
	}
	list := bodyOf(t, b.get("/admin/indicators?state=open"))
	if !strings.Contains(list, "9.3 评选星级社区服务综合体") || strings.Contains(list, "4.1 每万名老人") {
		t.Error("the list is not narrowed to what is open")
	}
}

func TestUpkeepOfAnIndicator(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	w.report(map[string]string{"3.1": "13820"}, "筛查进度放缓")
	const here = "/admin/indicators/3.1"

	// A target: old months keep the old one.
	b.done(b.fill(here, "target", "target", "25000", "from", "2023-09", "basis", "桐政办发〔2023〕12号", "basis_on", "2023-08-20"), "目标已调整")
	for month, want := range map[string]string{"2023-08": ",20000,", "2023-09": ",25000,"} {
		if csv := bodyOf(t, b.get("/export/indicators.csv?month="+month)); !regexp.MustCompile(`(?m)^[^\n]*结直肠癌筛查[^\n]*` + want).MatchString(csv) {
			t.Errorf("%s does not have the target %s", month, want)
		}
	}
	// So has the table: it is the one brought in until then, and as of a moment before.
	printed, revised := string(seeds.Table), strings.Replace(string(seeds.Table), "| 41152 | 20000 |", "| 41152 | 25000 |", 1)
	before := w.clock.Now().Add(-time.Minute).In(shanghai).Format("2006-01-02T15:04:05")
	for address, want := range map[string]string{"?month=2023-08": printed, "?month=2023-09": revised, "": revised, "?month=2023-09&as_of=" + before: printed} {
		if got := bodyOf(t, b.get("/export/matrix.txt"+address)); got != want {
			t.Errorf("/export/matrix.txt%s: revised %t, want %t; %d bytes", address, strings.Contains(got, "25000"), want == revised, len(got))
		}
		if page := bodyOf(t, b.get("/matrix"+address)); strings.Contains(page, "9月起,原20000") != (want == revised) {
			t.Errorf("/matrix%s does not show the target of its month", address)
		}
	}
	page := bodyOf(t, b.get(here))
	for _, want := range []string{"桐政办发〔2023〕12号", "2023年8月20日", "2023年9月起", "2023年1月起", "office"} {
		if !strings.Contains(page, want) {
			t.Errorf("the versions of the target lack %q", want)
		}
	}
	if history := bodyOf(t, b.get("/history?indicator=3.1&act=target.revise")); !strings.Contains(history, "25000") || !strings.Contains(history, "20000") {
		t.Error("the history lacks the revision")
	}

	typed := "<script>alert(1)</script>"
	for name, c := range map[string]struct {
		field, say string
		pairs      []string
	}{
		"nothing":       {"target-target", "请填写新的目标值", nil},
		"a tag":         {"target-target", "要填数字", []string{"target", typed, "basis", "函", "basis_on", "2023-10-01"}},
		"1e9":           {"target-target", "要填数字", []string{"target", "1e9", "basis", "函", "basis_on", "2023-10-01"}},
		"no document":   {"target-basis", "文号", []string{"target", "1", "basis", ""}},
		"no date":       {"target-basis_on", "请填写文件日期", []string{"basis_on", ""}},
		"a wrong date":  {"target-basis_on", "日期要写成", []string{"basis_on", "2023-02-30"}},
		"the future":    {"target-basis_on", "不能晚于今天", []string{"target", "1", "basis", "函", "basis_on", "2023-10-13"}},
		"a wrong month": {"target-from", "2023-13", []string{"from", "2023-13"}},
		"another year":  {"target-from", "1月到12月", []string{"target", "1", "basis", "函", "basis_on", "2023-10-01", "from", "2024-01"}},
		"too long":      {"target-basis", "最多200个字", []string{"target", "1", "basis", strings.Repeat("长", 201), "basis_on", "2023-10-01"}},
	} {
		page := w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.fill(here, "target", c.pairs...) })
		_, kept := formOf(t, page, "target")
		for i := 0; i+1 < len(c.pairs); i += 2 {
			if c.pairs[i] != "from" && kept.Get(c.pairs[i]) != c.pairs[i+1] {
				t.Errorf("%s: %s came back as %q, want as typed: %q", name, c.pairs[i], kept.Get(c.pairs[i]), c.pairs[i+1])
			}
		}
		if strings.Contains(page, typed) {
			t.Errorf("%s: the page runs what was typed", name)
		}
	}

	// Somebody else was quicker: what was typed is kept, beside what stands now.
	action, values := formOf(t, bodyOf(t, b.get(here)), "definition")
	values.Set("definition", "我的口径")
	b.done(b.fill(here, "definition", "definition", "别人的口径", "from", "2023-09"), "口径已保存")
	page = w.refused("an old form", http.StatusConflict, "", "刚被别人改动过", func() *http.Response { return b.send(http.MethodPost, action, values.Encode()) })
	if _, kept := formOf(t, page, "definition"); kept.Get("definition") != "我的口径" || !strings.Contains(page, "别人的口径") {
		t.Error("the refused form lacks one of the two versions")
	}
	w.refused("an empty scope", http.StatusUnprocessableEntity, "definition-definition", "请写明统计口径", func() *http.Response { return b.fill(here, "definition", "definition", " ") })

	// The plan curve.
	b.done(b.fill(here, "curve", "point[2023-06]", "5000", "point[2023-12]", "25000", "from", "2023-05", "basis", "年度工作计划"), "计划曲线已保存")
	if page := bodyOf(t, b.get(here)); !strings.Contains(page, "6月 5000;12月 25000") {
		t.Error("the versions of the curve lack it")
	}
	w.refused("words in a curve", http.StatusUnprocessableEntity, "curve-point-2023-07", "只填数字", func() *http.Response { return b.fill(here, "curve", "point[2023-07]", "七千") })
	w.refused("a negative plan", http.StatusUnprocessableEntity, "curve-point-2023-07", "不能是负数", func() *http.Response { return b.fill(here, "curve", "point[2023-07]", "-1") })

	// The light.
	b.done(b.fill(here, "override", "light", "on_track", "from", "2023-09", "until", "2023-10", "reason", "设备到货后集中开展"), "已改判")
	if page := bodyOf(t, w.enter("viewer").get("/indicators/3.1?month=2023-09")); !strings.Contains(page, "设备到货后集中开展") {
		t.Error("readers do not see the reason")
	}
	w.refused("twice", http.StatusConflict, "override-from", "已经改判为正常", func() *http.Response {
		return b.fill(here, "override", "light", "behind", "from", "2023-10", "until", "2023-10", "reason", "x")
	})
	w.refused("no light", http.StatusUnprocessableEntity, "override-light", "只能改判为", func() *http.Response { return b.fill(here, "override", "reason", "x") })
	w.refused("backwards", http.StatusUnprocessableEntity, "override-until", "不能早于", func() *http.Response {
		return b.fill(here, "override", "light", "behind", "from", "2023-12", "until", "2023-11", "reason", "x")
	})
	w.refused("nothing chosen", http.StatusUnprocessableEntity, "withdraw-override", "请选择", func() *http.Response { return b.fill(here, "withdraw") })
	_, values = formOf(t, bodyOf(t, b.get(here)), "withdraw")
	found := regexp.MustCompile(`<option value="([0-9]+)">2023年9月至2023年10月`).FindStringSubmatch(bodyOf(t, b.get(here)))
	if found == nil {
		t.Fatalf("the override is not offered to be withdrawn: %v", values)
	}
	b.done(b.fill(here, "withdraw", "override", found[1], "reason", "设备已到"), "改判已撤销")
	if page := bodyOf(t, b.get(here)); !strings.Contains(page, "已撤销") || strings.Contains(page, `id="form-withdraw"`) {
		t.Error("the withdrawn override is not shown as such")
	}
}

func TestUpkeepOfANature(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	b.done(b.fill("/admin/indicators/9.3", "nature", "confirmed", "1", "reason", "民政局10月11日来函"), "指标性质已保存")
	page := bodyOf(t, b.get("/admin/indicators/9.3"))
	if !strings.Contains(page, "民政局10月11日来函") || !strings.Contains(page, "已确认") {
		t.Error("the confirmation is not shown")
	}
	if strings.Contains(bodyOf(t, b.get("/admin")), "9.3 评选星级社区服务综合体") {
		t.Error("what was confirmed still needs attention")
	}
	const steps = "/admin/indicators/3.3"
	b.done(b.fill(steps, "nature", "step[5]", "验收", "meaning[5]", "done", "meaning[4]", "on_track"), "指标性质已保存")
	rec, err := w.st.Record(t.Context(), "", time.Time{}, start, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	ind, err := rec.Plan.Indicator("3.3")
	if err != nil {
		t.Fatal(err)
	}
	if got := landmark.FormatSteps(ind.Steps); got != "未启动=behind|推进中=on_track|基本到位=on_track|到位=on_track|验收=done" {
		t.Errorf("steps: %s", got)
	}
	for name, c := range map[string]struct {
		field, say string
		pairs      []string
	}{
		"no kind":       {"nature-kind", "指标性质", []string{"kind", ""}},
		"decimals":      {"nature-decimals", "0到6", []string{"decimals", "1e9"}},
		"many decimals": {"nature-decimals", "0到6", []string{"decimals", "7"}},
		"a long unit":   {"nature-unit", "最多20个字", []string{"unit", strings.Repeat("个", 21)}},
		"a long reason": {"nature-reason", "最多500个字", []string{"reason", strings.Repeat("长", 501)}},
		"steps":         {"nature-step-1", "只有定性指标", []string{"step[1]", "一", "step[2]", "二", "meaning[1]", "behind", "meaning[2]", "done"}},
		"a bad step":    {"nature-step-2", "不要有", []string{"step[2]", "a=b"}},
	} {
		w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.fill("/admin/indicators/2.2", "nature", c.pairs...) })
	}
}

func TestUpkeepOfPeriods(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	const here = "/admin/periods?edit=2023-10"
	b.done(b.fill(here, "period", "due", "2023-11-08", "grace", "2023-11-10", "reason", "系统切换"), "报送日期已保存")
	page := bodyOf(t, b.get(here))
	for _, want := range []string{"11月8日", "调整过", "系统切换"} {
		if !strings.Contains(page, want) {
			t.Errorf("the dates lack %q", want)
		}
	}
	for name, c := range map[string]struct {
		field, say string
		pairs      []string
	}{
		"no reason":  {"period-reason", "请写明", nil},
		"no date":    {"period-due", "请填写截止日", []string{"due", "", "reason", "x"}},
		"a bad date": {"period-lock", "日期要写成", []string{"lock", "1e9", "reason", "x"}},
		"backwards":  {"period-grace", "不能早于截止日", []string{"grace", "2023-11-01", "reason", "x"}},
		"years away": {"period-lock", "核对年份", []string{"lock", "2033-11-15", "reason", "x"}},
		"too long":   {"period-reason", "最多500个字", []string{"reason", strings.Repeat("长", 501)}},
	} {
		w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.fill(here, "period", c.pairs...) })
	}

	// Two people at once: the second sees what the first has done.
	action, values := formOf(t, bodyOf(t, b.get(here)), "period")
	values.Set("reason", "假期")
	statuses := make([]int, 4)
	var wg sync.WaitGroup
	for i := range statuses {
		mine := url.Values{}
		for k, v := range values {
			mine[k] = v
		}
		mine.Set("lock", "2023-11-2"+string(rune('0'+i)))
		other := w.enter("office")
		wg.Go(func() { statuses[i] = other.send(http.MethodPost, action, mine.Encode()).StatusCode })
	}
	wg.Wait()
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	if diff := cmp.Diff(map[int]int{http.StatusSeeOther: 1, http.StatusConflict: 3}, count); diff != "" {
		t.Errorf("four at once (-want +got):\n%s", diff)
	}

	b.done(b.fill(here, "extension", "department", "minzheng", "month", "2023-10", "due", "2023-11-20", "reason", "部门系统升级"), "已延期")
	if page := bodyOf(t, b.get(here)); !strings.Contains(page, "民政局到11月20日") || !strings.Contains(page, "部门系统升级") {
		t.Error("the extension is not shown")
	}
	for name, c := range map[string]struct {
		field, say string
		pairs      []string
	}{
		"nobody":     {"extension-department", "请选择部门", []string{"due", "2023-11-20"}},
		"no date":    {"extension-due", "请填写", []string{"department", "jiaoyu"}},
		"too early":  {"extension-due", "要晚于这一天", []string{"department", "jiaoyu", "month", "2023-10", "due", "2023-11-01", "reason", "x"}},
		"no reason":  {"extension-reason", "请写明", []string{"department", "jiaoyu", "month", "2023-10", "due", "2023-11-20"}},
		"not a lead": {"extension-department", "没有牵头", []string{"department", "puyuan", "month", "2023-10", "due", "2023-11-20", "reason", "x"}},
	} {
		w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.fill(here, "extension", c.pairs...) })
	}
}

func TestUpkeepOfRules(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	w.report(map[string]string{"3.1": "13820"}, "筛查进度放缓") // 5.9 points behind
	const preview = "/admin/rules/preview?from=2023-09&tolerance=6&red_line=20"
	page := bodyOf(t, b.get(preview))
	if !strings.Contains(page, "1个") || !strings.Contains(page, "3.1 结直肠癌筛查") {
		t.Fatalf("the preview lacks the one light that would turn:\n%s", page)
	}
	w.refused("no reason", http.StatusUnprocessableEntity, "adopt-reason", "请写明为什么", func() *http.Response { return b.fill(preview, "adopt") })
	w.refused("a long reason", http.StatusUnprocessableEntity, "adopt-reason", "最多500个字", func() *http.Response { return b.fill(preview, "adopt", "reason", strings.Repeat("长", 501)) })
	w.refused("no preview", http.StatusConflict, "", "请重新预览", func() *http.Response { return b.fill(preview, "adopt", "reason", "理由", "expected", "7") })
	w.refused("a forged rule", http.StatusBadRequest, "", "大于容差点数", func() *http.Response { return b.fill(preview, "adopt", "reason", "理由", "tolerance", "30") })

	// A value arrives between preview and adoption.
	action, values := formOf(t, bodyOf(t, b.get(preview)), "adopt")
	values.Set("reason", "与考核办法一致")
	w.report(map[string]string{"8.1": "69.5"}, "实地测评在四季度")
	if rec, err := w.st.Record(t.Context(), "", time.Time{}, start, shanghai); err != nil || len(rec.PreviewRule(landmark.LightRule{From: landmark.MonthOf(2023, 9), Tolerance: 6, RedLine: 20})) != 2 {
		t.Fatalf("the second value does not turn with the rule (%v)", err)
	}
	page = w.refused("an old preview", http.StatusConflict, "", "现在会改变2个状态", func() *http.Response { return b.send(http.MethodPost, action, values.Encode()) })
	if _, kept := formOf(t, page, "adopt"); kept.Get("reason") != "与考核办法一致" || kept.Get("expected") != "2" {
		t.Errorf("the new preview asks for %v", kept)
	}
	b.done(b.fill(preview, "adopt", "reason", "与考核办法一致"), "判定规则已采用")
	if page := bodyOf(t, b.get("/admin/rules")); !strings.Contains(page, "2023年9月起") || !strings.Contains(page, "与考核办法一致") {
		t.Error("the rule and its reason are not shown")
	}
	if csv := bodyOf(t, b.get("/export/indicators.csv?month=2023-09")); !regexp.MustCompile(`(?m)^[^\n]*结直肠癌筛查[^\n]*,on_track,`).MatchString(csv) {
		t.Error("September is not judged by the new rule")
	}
	for name, c := range map[string]struct{ query, field, say string }{
		"words":         {"from=2023-09&tolerance=few&red_line=20", "rule-tolerance", "要填整数"},
		"1e9":           {"from=2023-09&tolerance=5&red_line=1e9", "rule-red_line", "要填整数"},
		"equal":         {"from=2023-09&tolerance=20&red_line=20", "rule-red_line", "大于容差点数"},
		"no month":      {"from=&tolerance=5&red_line=20", "rule-from", "请选择生效月份"},
		"a wrong month": {"from=2023-13&tolerance=5&red_line=20", "rule-from", "2023-13"},
		"before":        {"from=2023-04&tolerance=5&red_line=20", "rule-from", "2023年5月到"},
	} {
		w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.get("/admin/rules/preview?" + c.query) })
	}
}

func TestUpkeepOfPlans(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	for name, c := range map[string]struct {
		status     int
		field, say string
		pairs      []string
	}{
		"no date":    {http.StatusUnprocessableEntity, "copy-published", "请填写公布日期", nil},
		"this year":  {http.StatusUnprocessableEntity, "copy-published", "2024年内", []string{"published", "2023-12-31"}},
		"no title":   {http.StatusUnprocessableEntity, "copy-title", "标题", []string{"title", "", "published", "2024-04-30"}},
		"a bad slug": {http.StatusUnprocessableEntity, "copy-slug", "方案代号", []string{"slug", "<script>", "published", "2024-04-30"}},
		"taken":      {http.StatusConflict, "copy-slug", "同一代号", []string{"slug", "tongxiang-2023", "published", "2024-04-30"}},
	} {
		w.refused(name, c.status, c.field, c.say, func() *http.Response { return b.fill("/admin/plans", "copy", c.pairs...) })
	}
	b.done(b.fill("/admin/plans", "copy", "published", "2024-04-30"), "新方案已建立")
	if page := bodyOf(t, b.get("/admin/plans")); !strings.Contains(page, "桐乡市2024年共同富裕十大标志性成果") || !strings.Contains(page, "tongxiang-2024") {
		t.Error("the new plan is not listed")
	}
	// With two plans every address names its own, so that neither form nor link
	// slips to the other year.
	b.done(b.fill("/admin/indicators/3.1?plan=tongxiang-2023", "target", "target", "21000", "from", "2023-10", "basis", "函", "basis_on", "2023-10-10"), "目标已调整")
	for slug, want := range map[string]string{"tongxiang-2023": "21000", "tongxiang-2024": "20000"} {
		rec, err := w.st.Record(t.Context(), slug, time.Time{}, start, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		ind, err := rec.Plan.Indicator("3.1")
		if err != nil || ind.TargetIn(rec.Plan.LastMonth()).Text != want {
			t.Errorf("%s aims at %s (%v), want %s", slug, ind.TargetIn(rec.Plan.LastMonth()).Text, err, want)
		}
	}
}

var generated = regexp.MustCompile(`<p class="secret">([a-z0-9-]{19})</p>`)

func TestUpkeepOfUsers(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	res := b.fill("/admin/users", "add", "name", "li.si", "display_name", "李四", "role", "reporter", "department", "minzheng")
	page := bodyOf(t, res)
	found := generated.FindStringSubmatch(page)
	if res.StatusCode != http.StatusOK || found == nil || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("add: %d, password %v, to be kept %q", res.StatusCode, found, res.Header.Get("Cache-Control"))
	}
	for _, address := range []string{"/admin/users", "/admin/users/li.si", "/history"} {
		if strings.Contains(bodyOf(t, b.get(address)), found[1]) {
			t.Errorf("%s shows the password again", address)
		}
	}
	if strings.Contains(w.log.String(), found[1]) {
		t.Error("the log has the password")
	}
	new := w.browser()
	if res := new.post("/login", "name", "li.si", "password", found[1]); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/account") {
		t.Fatalf("sign in with it: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	for name, c := range map[string]struct {
		field, say string
		pairs      []string
	}{
		"nothing":       {"add-role", "请选择角色", nil},
		"a bad name":    {"add-name", "小写字母", []string{"name", "<script>", "role", "viewer"}},
		"a taken name":  {"add-name", "已经有人用了", []string{"name", "li.si", "role", "viewer"}},
		"too long":      {"add-display_name", "64个字", []string{"name", "x", "display_name", strings.Repeat("长", 65), "role", "viewer"}},
		"no department": {"add-department", "要选定部门", []string{"name", "x", "role", "leader"}},
		"nowhere":       {"add-department", "没有这个部门", []string{"name", "x", "role", "leader", "department", "nowhere"}},
		"office of one": {"add-department", "不选部门", []string{"name", "x", "role", "office", "department", "minzheng"}},
		"no such role":  {"add-role", "这个角色", []string{"name", "x", "role", "king"}},
	} {
		w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.fill("/admin/users", "add", c.pairs...) })
	}

	const here = "/admin/users/li.si"
	b.done(b.fill(here, "update", "display_name", "李四(民政)", "role", "leader"), "账号已保存")
	if page := bodyOf(t, b.get(here)); !strings.Contains(page, "李四(民政)") || !strings.Contains(page, "部门负责人") {
		t.Error("the change is not shown")
	}
	res = b.fill(here, "password")
	next := generated.FindStringSubmatch(bodyOf(t, res))
	if res.StatusCode != http.StatusOK || next == nil || next[1] == found[1] {
		t.Fatalf("new password: %d %v", res.StatusCode, next)
	}
	if res := new.get("/account"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("with the old password still signed in: %d", res.StatusCode)
	}
	b.done(b.fill(here, "disable"), "账号已停用")
	if res := w.browser().post("/login", "name", "li.si", "password", next[1]); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a shut account signs in: %d", res.StatusCode)
	}
	b.done(b.fill(here, "enable"), "账号已启用")
	if res := w.browser().post("/login", "name", "li.si", "password", next[1]); res.StatusCode != http.StatusSeeOther {
		t.Errorf("an account opened again does not sign in: %d", res.StatusCode)
	}
	found2, err := w.st.History(t.Context(), store.HistoryFilter{}, 5)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, l := range found2 {
		acts = append(acts, l.Act)
	}
	if diff := cmp.Diff([]string{"account.enable", "account.disable", "account.password", "account.change", "account.add"}, acts); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}

	// One's own account.
	page = bodyOf(t, b.get("/admin/users/office"))
	if strings.Contains(page, `id="form-disable"`) || strings.Contains(page, `id="form-password"`) {
		t.Error("the office is offered to shut itself out")
	}
	w.refused("own role", http.StatusUnprocessableEntity, "update-role", "不能改自己的角色", func() *http.Response { return b.fill("/admin/users/office", "update", "role", "viewer") })
	w.refused("oneself", http.StatusUnprocessableEntity, "", "不能停用自己的账号", func() *http.Response { return b.post("/admin/users/office", "action", "disable") })
}

func TestUpkeepOfDepartments(t *testing.T) {
	t.Parallel()
	w, b := office(t)
	b.done(b.fill("/admin/departments", "add", "name", "文旅局", "slug", "wenlv"), "部门已新增")
	if page := bodyOf(t, b.get("/admin/departments")); !strings.Contains(page, "wenlv") {
		t.Error("the new department is not listed")
	}
	for name, c := range map[string]struct {
		field, say string
		pairs      []string
	}{
		"nothing":  {"add-name", "部门名称", nil},
		"too long": {"add-name", "最多40个字", []string{"name", strings.Repeat("局", 41), "slug", "x"}},
		"a tag":    {"add-slug", "部门代码", []string{"name", "x", "slug", "<script>"}},
		"taken":    {"add-name", "已经是文旅局", []string{"name", "文旅局", "slug", "x"}},
	} {
		w.refused(name, http.StatusUnprocessableEntity, c.field, c.say, func() *http.Response { return b.fill("/admin/departments", "add", c.pairs...) })
	}
	b.done(b.fill("/admin/departments", "alias", "department", "wenlv", "printed", "文旅局(体育局)"), "别名已加")
	if d, err := w.st.FindDepartment(t.Context(), "文旅局(体育局)"); err != nil || d.Slug != "wenlv" {
		t.Errorf("the printed name leads to %q, %v", d.Slug, err)
	}
	w.refused("another's name", http.StatusUnprocessableEntity, "alias-printed", "已经是文旅局", func() *http.Response {
		return b.fill("/admin/departments", "alias", "department", "minzheng", "printed", "文旅局(体育局)")
	})
	w.refused("nobody's name", http.StatusUnprocessableEntity, "alias-department", "没有这个部门", func() *http.Response { return b.fill("/admin/departments", "alias", "printed", "某局") })
	w.refused("no name", http.StatusUnprocessableEntity, "unalias-alias", "请选择", func() *http.Response { return b.fill("/admin/departments", "unalias") })
	b.done(b.fill("/admin/departments", "unalias", "alias", "文旅局(体育局)"), "别名已去掉")
	b.done(b.post("/admin/departments", "action", "sign_off", "slug", "minzheng", "required", "1"), "签核已改")
	if d, err := w.st.FindDepartment(t.Context(), "minzheng"); err != nil || !d.SignOffRequired {
		t.Errorf("sign-off: %+v, %v", d, err)
	}
	if page := bodyOf(t, b.get("/admin")); !strings.Contains(page, "要负责人签核,但没有负责人账号") {
		t.Error("nobody is told that the leader has no account")
	}
	w.refused("nowhere", http.StatusNotFound, "", "没有找到", func() *http.Response {
		return b.post("/admin/departments", "action", "sign_off", "slug", "nowhere", "required", "1")
	})
}
