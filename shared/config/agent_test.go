package config

import (
	"strings"
	"testing"
)

func TestForAgent(t *testing.T) {
	s := parse(t, minimal)
	own, err := ForAgent(s, s.Agent)
	if err != nil || own != s {
		t.Errorf("its own agent: %v, %v", own, err)
	}
	before, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := ForAgent(s, "evidence")
	if err != nil || evidence.Agent != "evidence" || evidence.Name != "first-evidence" {
		t.Fatalf("for evidence: %+v, %v", evidence, err)
	}
	text, err := evidence.JSON()
	if err != nil {
		t.Fatal(err)
	}
	back := strings.NewReplacer(`"agent": "evidence"`, `"agent": "criteria"`, `"name": "first-evidence"`, `"name": "first"`)
	if got := back.Replace(string(text)); got != string(before) {
		t.Errorf("more than agent and name differ:\n%s", text)
	}
	if after, err := s.JSON(); err != nil || string(after) != string(before) {
		t.Errorf("the study was changed: %s, %v", after, err)
	}
	for _, agent := range Agents() {
		if other, err := ForAgent(s, agent); err != nil || other.Agent != agent {
			t.Errorf("for %s: %+v, %v", agent, other, err)
		}
	}
	for agent, want := range map[string]string{
		"":                      "agent: is missing",
		"../x":                  `is not allowed`,
		"joint\n":               `is not allowed`,
		strings.Repeat("a", 80): "is not allowed",
	} {
		if got, err := ForAgent(s, agent); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("agent %q: %v, %v, want …%s…", agent, got, err, want)
		}
	}
	s.Name = strings.Repeat("n", 60)
	if got, err := ForAgent(s, "evidence"); err == nil || !strings.Contains(err.Error(), "name") {
		t.Errorf("a name of 69 bytes: %v, %v", got, err)
	}
}
