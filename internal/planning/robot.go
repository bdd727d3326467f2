package planning

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

// AddRobot adds a group robot whose address was checked. The history names it and
// never holds its address or secret.
func (s *Service) AddRobot(ctx context.Context, by landmark.Actor, u landmark.User, r store.Robot, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	r.Name = line(r.Name)
	if n := utf8.RuneCountInString(r.Name); n < 1 || n > 40 {
		return landmark.Errorf(landmark.Invalid, "name", "请给机器人起个名称,最多40个字,例如 民政局工作群")
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		if err := st.InsertRobot(ctx, r, by, now); err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "robot.add", DepartmentID: r.Department.ID, Object: "机器人 " + r.Name})
	})
}

// RemoveRobot takes a group robot out of use.
func (s *Service) RemoveRobot(ctx context.Context, by landmark.Actor, u landmark.User, id int64, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		name, err := st.RemoveRobot(ctx, id, now)
		if err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "robot.remove", Object: "机器人 " + name})
	})
}

// Resend lets a notice that could not be delivered go out again.
func (s *Service) Resend(ctx context.Context, by landmark.Actor, u landmark.User, delivery int64, now time.Time) error {
	if !u.CanEditPlan() {
		return errNotOffice
	}
	return s.store.Tx(ctx, func(st *store.Store) error {
		d, err := st.RetryDelivery(ctx, delivery, now)
		if err != nil {
			return err
		}
		return st.AddHistory(ctx, landmark.HistoryEntry{At: now, Actor: by, Act: "delivery.resend", PlanID: d.Notice.PlanID, DepartmentID: d.Notice.Department.ID,
			Month: d.Notice.Month, Object: fmt.Sprintf("通知“%s”", d.Notice.Title)})
	})
}
