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
	kind := "on demand"
	if e.Spot {
		kind = "Spot"
	}
	fmt.Fprintf(out, "study %s, agent %s: %d slots, each an %s %s\n\n", e.Study, e.Agent, e.Slots, e.Instance, kind)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "stage\ttrials\tepochs\tat most\ts/epoch\tslot hours\tat most\thours\tat most\tdollars\tat most")
	for _, s := range e.Stages {
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.3g\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", s.Stage, s.Trials, s.Epochs.Expected, s.Epochs.Most, s.Seconds,
			s.SlotHours.Expected, s.SlotHours.Most, s.Hours.Expected, s.Hours.Most, s.Dollars.Expected, s.Dollars.Most)
	}
	fmt.Fprintf(w, "control\t\t\t\t\t\t\t\t\t%.2f\t%.2f\n", e.Control.Expected, e.Control.Most)
	fmt.Fprintf(w, "all\t\t\t\t\t\t\t%.2f\t%.2f\t%.2f\t%.2f\n", e.Hours.Expected, e.Hours.Most, e.Dollars.Expected, e.Dollars.Most)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nepochs    of single seeds; expected: of each rung the best are promoted, at most: every trial trains to its end\n")
	fmt.Fprintf(out, "seconds   %s\n", e.SecondsOf)
	fmt.Fprintf(out, "dollars   %s; an instance is %.4g", e.PricesOf, e.PricePerHour.Most)
	if e.Spot {
		fmt.Fprintf(out, " on demand and from %.4g as Spot: the first column is at the lowest, the second at the highest price", e.PricePerHour.Expected)
	}
	fmt.Fprintln(out, " an hour")
	fmt.Fprintln(out, "not in it the minutes in which instances start and stop, storage, and epochs that a Spot interruption repeats")
	return nil
}
