package view

import (
	"time"

	"landmark/internal/landmark"
)

// NoticesPage is the list of notices for the visitor.
type NoticesPage struct {
	Page
	Rows   []NoticeRow
	Unseen int   // 99 at most
	Newest int64 // of the page; what comes later is not marked as seen with it
	Older  string
	Newer  string
}

// NoticeRow is one notice.
type NoticeRow struct {
	ID          int64
	Kind        string
	Title, Body string
	Href        string
	At          time.Time
	Seen        bool
}

// NewNoticesPage is GET /notices: newest first. older says that more follow.
func NewNoticesPage(page Page, zone *time.Location, list []landmark.Notice, older bool) NoticesPage {
	page.Title, page.Body, page.Months = "通知", "page-notices", nil
	p := NoticesPage{Page: page, Unseen: page.Unseen}
	for i, n := range list {
		if i == 0 {
			p.Newest = n.ID
		}
		p.Rows = append(p.Rows, NoticeRow{ID: n.ID, Kind: n.Kind.Chinese(), Title: n.Title, Body: n.Body, Href: n.Href(), At: n.At.In(zone), Seen: n.Seen})
	}
	if page.Query.Get("before") != "" {
		p.Newer = "/notices"
	}
	if older && len(list) > 0 {
		p.Older = "/notices?before=" + i64(list[len(list)-1].ID)
	}
	return p
}

func (p NoticesPage) sub() string {
	switch {
	case len(p.Rows) == 0:
		return "还没有通知。"
	case p.Unseen == 0:
		return "都看过了。"
	default:
		return unseenText(p.Unseen) + "没有看过。"
	}
}

// unseenText is a count of notices, which ends at 99.
func unseenText(n int) string {
	if n >= 99 {
		return "99条以上"
	}
	return itoa(n) + "条"
}
