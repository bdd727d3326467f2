package landmark

import (
	"strings"
	"testing"
)

func TestLetterheadTidied(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"桐政办通〔2023〕{n}号":             "桐政办通〔{{year}}〕{{number}}号",
		" 桐政办通[2024]{{number}}号\r\n": "桐政办通〔{{year}}〕{{number}}号",
		"桐政办通（{{ year }}）{序号}号":      "桐政办通〔{{year}}〕{{number}}号",
		"共富通报〔{{year}}〕{{number}}号":  "共富通报〔{{year}}〕{{number}}号",
	} {
		h := DefaultLetterhead("桐乡市")
		h.BulletinNumber = typed
		h = h.Tidied()
		if h.BulletinNumber != want {
			t.Errorf("%q became %q, want %q", typed, h.BulletinNumber, want)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%q: %v", typed, err)
		}
	}
	h := Letterhead{Copies: "抄送：市委办、市人大办。", Addressee: "各镇街道"}.Tidied()
	if h.Copies != "市委办、市人大办" || h.Addressee != "各镇街道：" {
		t.Errorf("got copies %q and addressee %q", h.Copies, h.Addressee)
	}
}

func TestLetterheadCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Letterhead)
		field  string
	}{
		"no org":            {func(h *Letterhead) { h.Org = " " }, "org"},
		"no sign":           {func(h *Letterhead) { h.Sign = "" }, "sign"},
		"no addressee":      {func(h *Letterhead) { h.Addressee = "：" }, "addressee"},
		"no printer":        {func(h *Letterhead) { h.Printer = "" }, "printer"},
		"printer too long":  {func(h *Letterhead) { h.Printer = strings.Repeat("长", 26) }, "printer"},
		"copies too long":   {func(h *Letterhead) { h.Copies = strings.Repeat("长", 501) }, "copies"},
		"number no year":    {func(h *Letterhead) { h.BulletinNumber = "桐政办通{{number}}号" }, "bulletin_number"},
		"number no serial":  {func(h *Letterhead) { h.BulletinNumber = "桐政办通〔2023〕12号" }, "bulletin_number"},
		"number twice":      {func(h *Letterhead) { h.LetterNumber = "桐〔2023〕{n}号{n}号" }, "letter_number"},
		"same number":       {func(h *Letterhead) { h.LetterNumber = h.BulletinNumber }, "letter_number"},
		"figure in contact": {func(h *Letterhead) { h.Contact = "{{total}}" }, "contact"},
		"used below zero":   {func(h *Letterhead) { h.BulletinUsed = -1 }, "bulletin_used"},
		"used too high":     {func(h *Letterhead) { h.LetterUsed = 10000 }, "letter_used"},
	} {
		h := DefaultLetterhead("桐乡市")
		c.change(&h)
		err := h.Tidied().Check()
		e, ok := err.(*Error) //nolint:errorlint // Check gives it unwrapped
		if !ok || e.Kind != Invalid || e.Field != c.field {
			t.Errorf("%s: error = %v, want Invalid of %s", name, err, c.field)
		}
	}
}

func TestLetterheadUsedIn(t *testing.T) {
	t.Parallel()
	h := Letterhead{BulletinUsed: 8, LetterUsed: 3, UsedYear: 2023}
	if b, l := h.UsedIn(2023); b != 8 || l != 3 {
		t.Errorf("2023: got %d and %d", b, l)
	}
	if b, l := h.UsedIn(2024); b != 0 || l != 0 {
		t.Errorf("2024: got %d and %d, want numbers that begin anew", b, l)
	}
}
