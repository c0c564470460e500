package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/study"
)

func TestOfBudget(t *testing.T) {
	spent := study.Budget{Epochs: 12, GPUHours: 0.25, Dollars: 0.3}
	for want, budget := range map[string]study.Budget{
		"":                       {},
		"12 of 40 epochs":        {Epochs: 40},
		"0.250 of 1.5 GPU hours": {GPUHours: 1.5},
		"0.30 of 2 dollars":      {Dollars: 2},
		"12 of 40 epochs, 0.250 of 2 GPU hours, 0.30 of 5 dollars": {Epochs: 40, GPUHours: 2, Dollars: 5},
	} {
		if got := ofBudget(spent, budget); got != want {
			t.Errorf("%+v: %q, want %q", budget, got, want)
		}
	}
}

func TestStatusSaysBudgets(t *testing.T) {
	t.Setenv(trainertest.Env, trainertest.Working)
	file, runs := trainertest.File(t), t.TempDir()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data = []byte(strings.Replace(string(data), "a: {trials: 6,", "a: {trials: 6, budget: {epochs: 1000},", 1))
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	good(t, "stage", "a", file, "--trainer", os.Args[0], "--runs", runs, "--slots", "1")
	out, _ := good(t, "status", "small", "--runs", runs)
	if !strings.Contains(out, "stage A took ") || !strings.Contains(out, " of 1000 epochs\n") || strings.Contains(out, "stage B took") {
		t.Errorf("prints %s", out)
	}
}
