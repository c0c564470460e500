package aws

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// checkPredict has a person's machine answer posts with the models that a study on AWS chose.
func (s *stack) checkPredict(t *testing.T, study string) {
	t.Helper()
	posts := filepath.Join(t.TempDir(), "posts.jsonl")
	text := `{"id": "a", "text": "I cannot sleep. I am tired all day."}` + "\n" + `{"id": "b", "text": "We went to the sea."}` + "\n"
	if err := os.WriteFile(posts, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "../../bin/supermax", "predict", study, posts, "--aws", "--stack", os.Getenv("SUPERMAX_STACK"))
	cmd.Env = append(os.Environ(), "SUPERMAX_CACHE="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	posted := map[string]int{}
	for line := range bytes.Lines(stdout.Bytes()) {
		var a struct {
			ID          string  `json:"id"`
			Probability float64 `json:"probability"`
		}
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !(a.Probability > 0 && a.Probability < 1) {
			t.Errorf("a probability is %v", a.Probability)
		}
		posted[a.ID]++
	}
	if posted["a"] == 0 || posted["b"] == 0 || len(posted) != 2 {
		t.Errorf("answers by post: %v", posted)
	}
}
