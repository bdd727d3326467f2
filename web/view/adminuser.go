package view

import (
	"time"

	"landmark/internal/landmark"
)

// UpkeepUsers is what the page of accounts is made from.
type UpkeepUsers struct {
	Users       []landmark.User
	Departments []landmark.Department
	Typed       Typed
	Secret      *UpkeepSecret
	Record      *landmark.Record
}

func roleOptions(none string) []Option {
	out := []Option{{Value: "", Text: none}}
	for _, role := range landmark.Roles {
		out = append(out, Option{Value: string(role), Text: role.Chinese()})
	}
	return out
}

func userFields(u landmark.User, departments []landmark.Department) []UpkeepField {
	return []UpkeepField{
		{Name: "display_name", Label: "显示名", Value: u.DisplayName, Hint: "页面和记录里的称呼,例如 张三"},
		{Name: "role", Label: "角色", Kind: "select", Options: roleOptions("请选择"), Value: string(u.Role)},
		{Name: "department", Label: "部门", Kind: "select", Options: departmentOptions("不属于部门", departments), Value: u.Department.Slug, Hint: "填报员和负责人必选,市府办不选"},
	}
}

// NewUpkeepUsersPage is GET /admin/users, the answer to an account that was
// refused, and to one that was made: with its password, this once. It takes role,
// department and state in its address.
func NewUpkeepUsersPage(page Page, in UpkeepUsers) UpkeepPage {
	p := newUpkeep(page, "账号")
	p.Sub = "填报员填报,负责人签核,市府办审核和维护,查阅只看。"
	p.Secret = in.Secret
	role, department, state := page.Query.Get("role"), page.Query.Get("department"), page.Query.Get("state")
	f := Typed{}.form(UpkeepForm{ID: "f", Fields: []UpkeepField{
		{Name: "role", Label: "角色", Kind: "select", Options: roleOptions("全部角色"), Value: role},
		{Name: "department", Label: "部门", Kind: "select", Options: departmentOptions("全部部门", in.Departments), Value: department},
		{Name: "state", Label: "状态", Kind: "select", Options: []Option{{Value: "", Text: "全部"}, {Value: "active", Text: "在用"}, {Value: "disabled", Text: "停用"}}, Value: state},
	}})
	p.Filters = &UpkeepFilters{What: "账号", Fields: f.Fields}
	if role+department+state != "" {
		p.Filters.All = p.at("/admin/users")
	}
	t := &UpkeepTable{Caption: "账号", Head: []string{"账号", "显示名", "角色", "部门", "状态", "开通"}, Empty: "没有符合条件的账号。"}
	for _, u := range in.Users {
		switch {
		case role != "" && string(u.Role) != role, department != "" && u.Department.Slug != department,
			state == "active" && u.Disabled, state == "disabled" && !u.Disabled:
			continue
		}
		t.Rows = append(t.Rows, UpkeepRow{Dim: u.Disabled, Cells: []UpkeepCell{{Text: u.Name, Href: p.at("/admin/users/" + u.Name)}, {Text: u.DisplayName}, {Text: u.Role.Chinese()},
			{Text: dash(u.Department.Name)}, {Text: accountState(u)}, {Text: u.CreatedAt.In(in.Record.Zone).Format("2006年1月2日")}}})
	}
	form := in.Typed.form(UpkeepForm{ID: "add", Action: p.to("/admin/users"), Submit: "新增账号", Note: "密码由系统生成,新增以后显示一次。",
		Fields: append([]UpkeepField{{Name: "name", Label: "账号名", Hint: "登录用:小写字母、数字、点、横线"}}, userFields(landmark.User{}, in.Departments)...)})
	p.Sections = []UpkeepSection{
		{ID: "users", Title: "账号", Note: itoa(len(t.Rows)) + "个", Table: t},
		{ID: "add", Title: "新增账号", Forms: []UpkeepForm{form}},
	}
	in.Typed.shown(&p)
	return p
}

func accountState(u landmark.User) string {
	switch {
	case u.Disabled:
		return "停用"
	case u.MustChange:
		return "在用,还没有改初始密码"
	case u.SecondFactor:
		return "在用,两步验证"
	default:
		return "在用"
	}
}

// UpkeepUser is what the page of one account is made from.
type UpkeepUser struct {
	User        landmark.User
	Departments []landmark.Department
	Typed       Typed
	Secret      *UpkeepSecret
	Own         bool // the visitor's own account
	Identities  []UserIdentity
	Issuer      string // of the provider people may sign in through; empty: there is none
	Zone        *time.Location
}

// UserIdentity is who an account is for a provider.
type UserIdentity struct {
	Issuer, Subject string
	Since           time.Time
}

// NewUpkeepUserPage is GET /admin/users/{name}, the answer to a refused form of
// it, and to a new password.
func NewUpkeepUserPage(page Page, in UpkeepUser) UpkeepPage {
	u := in.User
	p := newUpkeep(page, u.Name)
	p.Crumbs = append(p.Crumbs, Link{"账号", p.at("/admin/users")})
	p.Sub = u.DisplayName + " · " + roleLine(u) + " · " + accountState(u)
	p.Secret = in.Secret
	p.Links = []Link{{"这个账号做过的事", p.at("/history", "person", u.Name)}}
	action := p.to("/admin/users/" + u.Name)
	form := func(f UpkeepForm) []UpkeepForm {
		f.Action = action
		return []UpkeepForm{in.Typed.form(f)}
	}
	p.Sections = []UpkeepSection{{ID: "update", Title: "资料", Forms: form(UpkeepForm{ID: "update", Submit: "保存", Note: "角色和部门从下一次点击起生效。", Fields: userFields(u, in.Departments)})}}
	p.Sections = append(p.Sections, UpkeepSection{ID: "email", Title: "通知邮箱", Forms: form(UpkeepForm{ID: "email", Submit: "保存邮箱", Danger: true,
		Note: "报送提醒和审核结果会发到这里;本人也可以在“我的账号”里改。", Fields: []UpkeepField{{Name: "email", Label: "邮箱", Value: u.Email, Optional: true}}})})
	switch {
	case in.Own:
		p.Sections = append(p.Sections, UpkeepSection{ID: "own", Title: "密码和停用", Text: "这是您自己的账号:密码在“我的账号”里修改,停用要由另一个市府办账号来做。"})
	case u.Disabled:
		p.Sections = append(p.Sections, UpkeepSection{ID: "enable", Title: "启用", Forms: form(UpkeepForm{ID: "enable", Submit: "重新启用"})})
	default:
		if u.SecondFactor {
			p.Sections = append(p.Sections, UpkeepSection{ID: "factor", Title: "两步验证", Text: "已经开启。", Forms: form(UpkeepForm{ID: "factor", Submit: "重置两步验证", Danger: true,
				Note: "手机和恢复码都丢了才需要:两步验证关闭,在别处的登录都会退出,以后可以重新开启。请先确认是本人。"})})
		}
		p.Sections = append(p.Sections,
			UpkeepSection{ID: "password", Title: "新密码", Forms: form(UpkeepForm{ID: "password", Submit: "生成新密码", Danger: true, Note: "旧密码立即失效,在别处的登录都会退出;新密码显示一次。"})},
			UpkeepSection{ID: "disable", Title: "停用", Forms: form(UpkeepForm{ID: "disable", Submit: "停用这个账号", Danger: true, Note: "立即退出登录,以后不能再登录;做过的事仍在记录里。"})})
	}
	if in.Issuer != "" || len(in.Identities) > 0 {
		p.Sections = append(p.Sections, identitySection(p, in, action, form))
	}
	in.Typed.shown(&p)
	return p
}

// identitySection ties an account to the city's own sign-in.
func identitySection(p UpkeepPage, in UpkeepUser, action string, form func(UpkeepForm) []UpkeepForm) UpkeepSection {
	t := &UpkeepTable{Caption: "关联的统一认证身份", Head: []string{"编号", "签发者", "关联于", "操作"}, Empty: "没有关联:这个账号只能用密码登录。"}
	for _, i := range in.Identities {
		t.Rows = append(t.Rows, UpkeepRow{Cells: []UpkeepCell{{Text: i.Subject}, {Text: i.Issuer}, {Text: i.Since.In(in.Zone).Format("2006年1月2日")},
			{Button: &UpkeepForm{ID: "unlink", Action: action, Title: i.Subject + "的关联", Submit: "取消", Hidden: []pair{{"issuer", i.Issuer}, {"subject", i.Subject}}}}}})
	}
	return UpkeepSection{ID: "link", Title: "统一认证", Table: t, Forms: form(UpkeepForm{ID: "link", Submit: "关联", Note: "编号是统一认证给每个人的,不是邮箱或手机号;本人第一次用统一认证登录时,页面会显示它。请先确认是本人。",
		Fields: []UpkeepField{{Name: "subject", Label: "编号"}, {Name: "issuer", Label: "签发者", Value: in.Issuer}}})}
}
