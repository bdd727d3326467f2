package auth_test

import (
	"strings"
	"testing"

	"landmark/internal/landmark"
	"landmark/internal/store"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	a, st := newAuth(t)
	ctx := t.Context()
	d := landmark.Department{Slug: "minzheng", Name: "民政局"}
	if err := st.InsertDepartment(ctx, &d); err != nil {
		t.Fatal(err)
	}
	people := map[string]landmark.User{}
	for _, name := range []string{"zhou", "li"} {
		u := landmark.User{Name: name, DisplayName: name, Role: landmark.RoleOffice}
		var err error
		if u.ID, err = st.InsertAccount(ctx, store.Account{User: u, Hash: store.NoPassword}, now); err != nil {
			t.Fatal(err)
		}
		people[name] = u
	}
	zhou := landmark.ActorOf(people["zhou"], "127.0.0.1", "test")
	lines := func() []store.HistoryLine {
		t.Helper()
		found, err := st.History(ctx, store.HistoryFilter{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for range 2 { // sent twice, it has one effect
		if err := a.Update(ctx, zhou, "li", "李四", landmark.RoleReporter, d); err != nil {
			t.Fatal(err)
		}
	}
	account, err := st.Account(ctx, "li")
	if err != nil || account.User.DisplayName != "李四" || account.User.Role != landmark.RoleReporter || account.User.Department.Name != "民政局" {
		t.Errorf("account: %+v, %v", account.User, err)
	}
	if found := lines(); len(found) != 1 || found[0].Act != "account.change" || found[0].Actor.Name != "zhou" || !strings.Contains(string(found[0].Before), "市府办") || !strings.Contains(string(found[0].After), "民政局") {
		t.Errorf("history: %+v", found)
	}
	if err := a.Update(ctx, zhou, "zhou", "周主任", landmark.RoleOffice, landmark.Department{}); err != nil {
		t.Errorf("one's own display name: %v", err)
	}
	before := len(lines())
	for name, c := range map[string]struct {
		err   error
		field string
	}{
		"own role":      {a.Update(ctx, zhou, "zhou", "周主任", landmark.RoleViewer, landmark.Department{}), "role"},
		"no department": {a.Update(ctx, zhou, "li", "李四", landmark.RoleLeader, landmark.Department{}), "department"},
		"no name":       {a.Update(ctx, zhou, "li", " ", landmark.RoleViewer, d), "display_name"},
		"a long name":   {a.Update(ctx, zhou, "li", strings.Repeat("长", 65), landmark.RoleViewer, d), "display_name"},
		"no such role":  {a.Update(ctx, zhou, "li", "李四", "king", d), "role"},
		"shut oneself":  {a.SetDisabled(ctx, zhou, "zhou", true), "name"},
		"own password":  {second(a.SetPassword(ctx, zhou, "zhou", "")), "name"},
	} {
		if landmark.KindOf(c.err) != landmark.Invalid || fieldOf(c.err) != c.field {
			t.Errorf("%s: error = %v, want Invalid for %s", name, c.err, c.field)
		}
	}
	if err := a.Update(ctx, zhou, "nobody", "无", landmark.RoleViewer, d); landmark.KindOf(err) != landmark.NotFound {
		t.Errorf("nobody: error = %v, want NotFound", err)
	}
	for range 2 {
		if err := a.SetDisabled(ctx, zhou, "li", true); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(lines()); n != before+1 {
		t.Errorf("%d lines more, want one for shutting li", n-before)
	}
}
