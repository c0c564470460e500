package aws

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"time"
)

// readmeInput returns the execution input that the README shows.
func readmeInput(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`start-execution(?s:.*?)--input '(.*?)'`).FindSubmatch(readme)
	if found == nil {
		t.Fatal("the README shows no start-execution with --input '…'")
	}
	return string(found[1])
}

// TestQuickstart starts what the README shows on a stack as `cdk deploy` left it, waits for
// the end, and then asks the saved queries about every study.
func TestQuickstart(t *testing.T) {
	s := open(t)
	began := time.Now()
	arn := s.start(readmeInput(t))
	s.succeeded(arn, 20*time.Minute, nil)
	t.Logf("the execution took %s and %d state transitions", time.Since(began).Round(time.Second), s.transitions(arn))
	for _, name := range s.studies(arn) {
		st := s.state(name)
		chosen, ok := st.Chosen()
		if !ok {
			t.Errorf("study %s has chosen nothing", name)
			continue
		}
		t.Logf("%s: trial %d, F1-macro %.4f (majority %.4f)", name, chosen.Trial, chosen.Value.F1Macro, chosen.Baseline.MajorityF1Macro)
		if chosen.Value.F1Macro <= chosen.Baseline.MajorityF1Macro {
			t.Errorf("study %s: the chosen model has F1-macro %.3f, the majority class %.3f", name, chosen.Value.F1Macro, chosen.Baseline.MajorityF1Macro)
		}
		t.Run("queries "+name, func(t *testing.T) { s.checkQueries(t, name) })
		t.Run("predict "+name, func(t *testing.T) { s.checkPredict(t, name) })
		s.checkAccounts(t, name)
	}
}

// studies returns the studies of an execution, as its create step answered.
func (s *stack) studies(arn string) []string {
	s.t.Helper()
	var input struct {
		Study  string   `json:"study"`
		Agents []string `json:"agents"`
	}
	if err := json.Unmarshal([]byte(*s.look(arn).Input), &input); err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, agent := range input.Agents {
		name := input.Study
		if agent != "criteria" { // the bundled definition's own
			name += "-" + agent
		}
		names = append(names, name)
	}
	return names
}
