package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rsc.io/qr"

	"landmark/internal/auth"
	"landmark/internal/landmark"
	"landmark/web/view"
)

// showFactor handles GET /account/factor.
func (s *Server) showFactor(w http.ResponseWriter, r *http.Request) error {
	next := r.URL.Query().Get("next")
	if next != "" {
		next = localPath(next, r.Host)
	}
	return s.answerFactor(w, r, http.StatusOK, view.FactorPage{Next: next})
}

func (s *Server) answerFactor(w http.ResponseWriter, r *http.Request, status int, p view.FactorPage) error {
	p.Page = s.bare(r, "两步验证")
	f, err := s.auth.Factor(r.Context(), view.ProductName)
	if err != nil {
		return err
	}
	p.Possible, p.Left, p.Secret, p.Address = f.Possible, f.Left, f.Secret, f.Address
	p.Required = auth.VisitFrom(r.Context()).MustEnrol
	if !f.Since.IsZero() {
		since := f.Since.In(s.zone)
		p.Since = &since
	}
	if p.Address != "" {
		if p.QR, err = drawQR(p.Address); err != nil {
			return err
		}
	}
	return s.render(w, r, status, view.Factor(p))
}

// drawQR draws a text as a camera reads it, square by square.
func drawQR(text string) (view.QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return view.QR{}, fmt.Errorf("draw QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return view.QR{Size: code.Size, Path: path.String()}, nil
}

// keepFactor handles POST /account/factor. Recovery codes are answered with no
// redirect: they would have to be kept somewhere in between, and are shown this
// once.
func (s *Server) keepFactor(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	password, code := r.PostFormValue("password"), r.PostFormValue("code")
	p := view.FactorPage{Form: r.PostFormValue("action")}
	back := "/account/factor"
	if next := r.PostFormValue("next"); next != "" {
		p.Next = localPath(next, r.Host)
		back += "?next=" + url.QueryEscape(p.Next)
	}
	said := ""
	var err error
	switch p.Form {
	case "begin":
		err = s.auth.BeginFactor(ctx, password)
	case "confirm":
		p.Codes, err = s.auth.ConfirmFactor(ctx, code)
	case "codes":
		p.Codes, err = s.auth.NewRecoveryCodes(ctx, password, code)
	case "disable":
		said, back = "两步验证已关闭", "/account"
		err = s.auth.DisableFactor(ctx, password, code)
	default:
		return unknownForm()
	}
	if e := domainError(err); e != nil && (e.Kind == landmark.Invalid || e.Kind == landmark.Conflict) {
		status, _ := answerTo(err)
		p.Faults = []view.Fault{{Field: e.Field, Message: e.Message}}
		return s.answerFactor(w, r, status, p)
	}
	switch {
	case err != nil:
		return err
	case p.Codes != nil:
		auth.VisitFrom(ctx).MustEnrol = false // the page says how it is now
		return s.answerFactor(w, r, http.StatusOK, p)
	default:
		return s.redirect(w, r, back, said)
	}
}
