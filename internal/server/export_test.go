package server

import "context"

// Hold takes a person's turn to make a file, as a long download does.
func (s *Server) Hold(person int64) (leave func()) {
	s.gate.wait = gateWait / 100
	return s.gate.enter(context.Background(), person)
}
