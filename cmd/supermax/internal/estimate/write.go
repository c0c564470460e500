package estimate

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// Write prints the estimate, as a table for a person or as JSON.
func (e *Estimate) Write(out io.Writer, format string) error {
	switch format {
	case "table":
		return e.writeTable(out)
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	return mistake.Errorf("--format %.40q is not allowed; allowed: table, json", format)
}

func (e *Estimate) writeTable(out io.Writer) error {
	fmt.Fprintf(out, "study %s, agent %s: %d slots on %s%s\n\n", e.Study, e.Agent, e.Slots, e.Instance, map[bool]string{true: ", Spot"}[e.Spot])
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "stage\ttrials\tepochs\tat most\ts/epoch\tslot hours\tat most\thours\tat most\tdollars\tat most")
	for _, s := range e.Stages {
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\n", s.Stage, s.Trials, s.Epochs.Expected, s.Epochs.Most, amount(s.Seconds),
			amount(s.SlotHours.Expected), amount(s.SlotHours.Most), amount(s.Hours.Expected), amount(s.Hours.Most), s.Dollars.Expected, s.Dollars.Most)
	}
	fmt.Fprintf(w, "control\t\t\t\t\t\t\t\t\t%.2f\t%.2f\n", e.Control.Expected, e.Control.Most)
	fmt.Fprintf(w, "all\t\t\t\t\t\t\t%s\t%s\t%.2f\t%.2f\n", amount(e.Hours.Expected), amount(e.Hours.Most), e.Dollars.Expected, e.Dollars.Most)
	if err := w.Flush(); err != nil {
		return err
	}
	price := fmt.Sprintf("%.4g an hour", e.PricePerHour.Most)
	if e.Spot {
		price = fmt.Sprintf("from %.4g to %.4g an hour as Spot, the first column at the lowest and the second at the highest", e.PricePerHour.Expected, e.PricePerHour.Most)
	}
	_, err := fmt.Fprintf(out, `
epochs   of single seeds. Expected: the best of each rung are promoted. At most: every trial trains to its end
seconds  %s
dollars  %s: %s. Not in them: the minutes in which instances start and stop, storage,
         and what a Spot interruption repeats
`, e.SecondsOf, e.PricesOf, price)
	return err
}

// amount writes three digits of a small number and no fraction of a large one.
func amount(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
