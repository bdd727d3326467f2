package reporting

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// Approve makes reports the figures of record, all or none. A person may not
// approve what they submitted themselves.
func (s *Service) Approve(ctx context.Context, by landmark.Actor, u landmark.User, list []store.Seen, now time.Time) ([]store.Moved, error) {
	if !u.CanReview() {
		return nil, landmark.Errorf(landmark.Forbidden, "", "只有市府办可以审核")
	}
	return s.decide(ctx, by, u, list, landmark.StateApproved, "report.approve", "", now)
}

// SignOff signs a department's reports for its leader, all or none (签核). A
// person may not sign what they submitted themselves.
func (s *Service) SignOff(ctx context.Context, by landmark.Actor, u landmark.User, list []store.Seen, now time.Time) ([]store.Moved, error) {
	if !u.CanSignOff(u.DepartmentID) {
		return nil, landmark.Errorf(landmark.Forbidden, "", "只有部门负责人可以签核")
	}
	return s.decide(ctx, by, u, list, landmark.StateSigned, "report.sign", "", now)
}

// Return sends reports back to their reporters with a reason, all or none. The
// office may, and a department's leader where the department asks for a signature.
func (s *Service) Return(ctx context.Context, by landmark.Actor, u landmark.User, list []store.Seen, reason string, now time.Time) ([]store.Moved, error) {
	if !u.CanReview() && !u.CanSignOff(u.DepartmentID) {
		return nil, landmark.Errorf(landmark.Forbidden, "", "只有市府办和部门负责人可以退回")
	}
	reason = strings.TrimSpace(cleanText(reason))
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return nil, landmark.Errorf(landmark.Invalid, "reason", "请写明为什么退回,部门会照着修改")
	case n > maxSaid:
		return nil, landmark.Errorf(landmark.Invalid, "reason", "退回的理由最多%d个字,现在有%d个", maxSaid, n)
	}
	return s.decide(ctx, by, u, list, landmark.StateReturned, "report.return", reason, now)
}

// maxSaid bounds a reason of the office's, in characters.
const maxSaid = 500

func (s *Service) decide(ctx context.Context, by landmark.Actor, u landmark.User, list []store.Seen, to landmark.State, act, reason string, now time.Time) (moved []store.Moved, err error) {
	list = once(list)
	if len(list) == 0 {
		return nil, landmark.Errorf(landmark.Invalid, "report", "请先勾选要处理的指标")
	}
	leads := int64(0) // the department whose leader acts; 0: the office
	if !u.CanReview() {
		leads = u.DepartmentID
	}
	err = s.tx(ctx, func(st *store.Store) error {
		if moved, err = move(ctx, st, by, list, to, act, reason, leads, now); err != nil {
			return err
		}
		_, err = st.InsertNotices(ctx, decidedNotices(moved, to, reason, by), now)
		return err
	})
	if err == nil {
		return moved, nil
	}
	if landmark.KindOf(err) == landmark.Conflict {
		// Nothing was moved: say which stood in the way.
		heads, headErr := s.store.Heads(ctx, list)
		if headErr != nil {
			return nil, headErr
		}
		err = s.whyNot(list, heads, to, leads, by, err)
	}
	return nil, err
}

// once takes out reports named twice.
func once(list []store.Seen) []store.Seen {
	seen := map[int64]bool{}
	var out []store.Seen
	for _, v := range list {
		if !seen[v.ReportID] {
			seen[v.ReportID] = true
			out = append(out, v)
		}
	}
	return out
}

// whyNot names the reports that stood in the way of a decision.
func (s *Service) whyNot(list []store.Seen, heads []store.Head, to landmark.State, leads int64, by landmark.Actor, err error) error {
	if len(heads) < len(list) {
		return landmark.Errorf(landmark.NotFound, "report", "选中的指标里有不存在的,请刷新后再操作")
	}
	revisions := map[int64]int{}
	for _, v := range list {
		revisions[v.ReportID] = v.Revision
	}
	var why []string
	for _, h := range heads {
		own := to != landmark.StateReturned && by.AccountID != 0 && h.AccountID == by.AccountID
		name := fmt.Sprintf("%s %s", h.Code, h.Name)
		switch {
		case leads != 0 && h.DepartmentID != leads:
			return landmark.Errorf(landmark.Forbidden, "report", "只能处理自己部门的报表")
		case leads != 0 && !h.SignOffRequired:
			return landmark.Errorf(landmark.Forbidden, "report", "%s没有启用负责人签核,提交后由市府办直接审核", h.Department)
		case own:
			return landmark.Errorf(landmark.Forbidden, "report", "%s是您自己提交的,要由别人来审", name)
		case h.State != landmark.StateSubmitted && h.State != landmark.StateSigned:
			why = append(why, fmt.Sprintf("%s%s(%s,%s)", name, h.State.Chinese(), h.StateBy, h.StateAt.In(s.zone).Format("1月2日15:04")))
		case revisions[h.ReportID] != 0 && revisions[h.ReportID] != h.Revision:
			why = append(why, fmt.Sprintf("%s有了新的修改(%s,%s)", name, h.StateBy, h.StateAt.In(s.zone).Format("1月2日15:04")))
		case to == landmark.StateSigned && h.State == landmark.StateSigned:
			why = append(why, fmt.Sprintf("%s已签核(%s,%s)", name, h.StateBy, h.StateAt.In(s.zone).Format("1月2日15:04")))
		case to == landmark.StateApproved && h.State == landmark.StateSubmitted && h.SignOffRequired:
			why = append(why, fmt.Sprintf("%s还没有%s负责人签核", name, h.Department))
		}
	}
	if len(why) == 0 {
		return err
	}
	return fmt.Errorf("%w: %w", landmark.Errorf(landmark.Conflict, "report", "这次都没有改动:%s;请刷新后再操作", strings.Join(why, "、")), err)
}
