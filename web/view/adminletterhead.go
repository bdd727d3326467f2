package view

import (
	"landmark/internal/landmark"
)

// Letterhead is what the office's papers carry, and the next one's number.
type Letterhead struct {
	landmark.Letterhead
	Year       int
	Next       string // bulletin's number
	NextLetter string // empty: letters have none
	Past       []landmark.HistoryEntry
}

// NewLetterheadPage is GET /admin/letterhead and the answer to its form refused.
func NewLetterheadPage(page Page, r *landmark.Record, h Letterhead, typed Typed) UpkeepPage {
	p := newUpkeep(page, "发文设置")
	p.Sub = "通报和催办函的发文机关、文号和版记。改动从下一份稿子起用;已印发的不变。"
	p.Facts = []Fact{{Term: "下一份通报的文号", Text: h.Next}}
	if h.NextLetter != "" {
		p.Facts = append(p.Facts, Fact{Term: "下一份催办函的文号", Text: h.NextLetter})
	}
	bulletins, letters := h.UsedIn(h.Year)
	whole := func(n int) string {
		if n == 0 {
			return ""
		}
		return itoa(n)
	}
	form := typed.form(UpkeepForm{ID: "letterhead", Action: p.to("/admin/letterhead"), Submit: "保存发文设置", Hidden: []pair{{"version", itoa(h.Version)}},
		Fields: []UpkeepField{
			{Name: "org", Label: "发文机关标志", Value: h.Org, Hint: "红色大字,例如 桐乡市人民政府办公室,或者加“文件”二字"},
			{Name: "sign", Label: "署名", Value: h.Sign, Hint: "发文机关全称或规范化简称"},
			{Name: "bulletin_number", Label: "通报的发文字号", Value: h.BulletinNumber, Hint: "例如 桐政办通〔{{year}}〕{{number}}号;年份和顺序号由程序填,每年从1号起"},
			{Name: "bulletin_used", Label: itoa(h.Year) + "年通报已用到第几号", Kind: "number", Value: whole(bulletins), Optional: true, Hint: "本年在别处已经发过几号就填几,下一份接着编"},
			{Name: "letter_number", Label: "催办函的发文字号", Value: h.LetterNumber, Optional: true, Hint: "例如 桐政办函〔{{year}}〕{{number}}号;空着就不编号"},
			{Name: "letter_used", Label: itoa(h.Year) + "年催办函已用到第几号", Kind: "number", Value: whole(letters), Optional: true},
			{Name: "addressee", Label: "通报的主送机关", Kind: "area", Value: h.Addressee},
			{Name: "copies", Label: "通报的抄送机关", Kind: "area", Value: h.Copies, Optional: true, Hint: "印在最后一页的版记里,不写“抄送”二字"},
			{Name: "printer", Label: "印发机关", Value: h.Printer, Hint: "印在版记的左边,右边是印发日期"},
			{Name: "contact", Label: "催办函的联系人和电话", Value: h.Contact, Optional: true, Hint: "印成附注:(联系人:张三,电话 0573-88000000)"},
		}})
	past := pastTable("改动记录", "还没有改过,用的是默认设置。", r.Zone, h.Past, acted("letterhead.set"))
	p.Sections = []UpkeepSection{
		{ID: "letterhead", Title: "发文设置", Forms: []UpkeepForm{form}},
		{ID: "past", Title: "改动记录", Table: past},
	}
	typed.shown(&p)
	return p
}
