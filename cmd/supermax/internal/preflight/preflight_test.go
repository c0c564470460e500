package preflight

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
)

func mustCheck(t *testing.T, s *config.Study) map[string]string {
	t.Helper()
	prints, err := Check(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return prints
}

func TestFingerprints(t *testing.T) {
	s, err := config.Load(trainertest.File(t))
	if err != nil {
		t.Fatal(err)
	}
	prints := mustCheck(t, s)
	if len(prints) != 2 || len(prints["corpus"]) != 64 || len(prints["backbone tiny"]) != 64 {
		t.Errorf("fingerprints %v", prints)
	}
	if err := os.Remove(filepath.Join(s.Models["tiny"], "special_tokens_map.json")); err != nil {
		t.Fatal(err)
	}
	if again := mustCheck(t, s); again["backbone tiny"] == prints["backbone tiny"] || again["corpus"] != prints["corpus"] {
		t.Errorf("fingerprints %v, then %v", prints, again)
	}
	if err := os.MkdirAll(filepath.Join(s.Models["tiny"], "tokenizer.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := fingerprint(s.Models["tiny"]); err == nil {
		t.Error("a folder in a file's place has a fingerprint")
	}
}
