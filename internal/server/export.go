package server

import (
	"bytes"
	_ "embed" // the description of the API
	"mime"
	"net/http"
	"strings"

	"landmark/internal/landmark"
	"landmark/internal/sheet"
)

// exportIndicators handles GET /export/indicators.csv.
func (s *Server) exportIndicators(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := sheet.WriteIndicatorsCSV(&file, rec.Board(month)); err != nil {
		return err
	}
	s.download(w, "text/csv; charset=utf-8", "indicators-"+month.String()+".csv", file.Bytes())
	return nil
}

// exportMatrix handles GET /export/matrix.txt.
func (s *Server) exportMatrix(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := sheet.WriteTable(&file, sheet.FromPlan(rec.Plan, month)); err != nil {
		return err
	}
	s.download(w, "text/plain; charset=utf-8", rec.Plan.Slug+".txt", file.Bytes())
	return nil
}

// papers are what ?paper= of /export/matrix.xlsx may ask for.
var papers = map[string]sheet.Paper{"": sheet.A4, "A4": sheet.A4, "A3": sheet.A3}

// exportWorkbook handles GET /export/matrix.xlsx.
func (s *Server) exportWorkbook(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	paper, ok := papers[strings.ToUpper(r.URL.Query().Get("paper"))]
	if !ok {
		return landmark.Errorf(landmark.Invalid, "paper", "纸张只有A4和A3,请写 paper=A4 或 paper=A3")
	}
	var file bytes.Buffer
	if err := sheet.WriteMatrixXLSX(&file, rec.Plan, month, paper); err != nil {
		return err
	}
	s.download(w, workbookType, rec.Plan.Slug+".xlsx", file.Bytes())
	return nil
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// exportIndicatorsWorkbook handles GET /export/indicators.xlsx.
func (s *Server) exportIndicatorsWorkbook(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := sheet.WriteIndicatorsXLSX(&file, rec.Board(month)); err != nil {
		return err
	}
	s.download(w, workbookType, "indicators-"+month.String()+".xlsx", file.Bytes())
	return nil
}

// download answers with a file that is kept, never shown as a page of ours.
func (s *Server) download(w http.ResponseWriter, kind, name string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", contentPolicy+"; sandbox")
	_, _ = w.Write(content) // the visitor has gone: nobody to tell
}

// apiIndicators handles GET /api/v1/indicators: the rows of indicators.csv.
func (s *Server) apiIndicators(w http.ResponseWriter, r *http.Request) error {
	rec, month, err := s.record(r)
	if err != nil {
		return err
	}
	s.answerJSON(w, r, http.StatusOK, sheet.IndicatorRows(rec.Board(month)))
	return nil
}

//go:embed openapi.json
var description []byte

// openAPI handles GET /api/v1/openapi.json.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(description) // the visitor has gone: nobody to tell
	return nil
}
