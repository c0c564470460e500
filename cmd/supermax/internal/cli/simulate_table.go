package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/supermax-hpo/supermax/shared/simulate"
)

// writeJSON writes a value for programs, indented.
func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// simulateTable writes a simulation's result for a person.
func simulateTable(out io.Writer, o simulate.Options, curves string, r *simulate.Result) error {
	fmt.Fprintf(out, "simulated study %s: %d slots, seed %d, %s\n\n", r.Study, r.Slots, r.Seed, curves)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stage\ttrials\tcompleted\tpaused\tfailed\tepochs\tbest F1-macro\tECE\thours\tslot hours\tidle\tstarting\tlost\tdollars\t")
	for _, s := range r.Stages {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.4f\t%.4f\t", s.Stage, s.Trials, s.Completed, s.Paused, s.Failed, s.Epochs, s.Best.F1Macro, s.Best.ECE)
		billCells(w, s.Bill)
	}
	fmt.Fprint(w, "all\t\t\t\t\t\t\t\t")
	billCells(w, r.Total)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, s := range r.Stages {
		fmt.Fprintf(out, "rungs of %s:", s.Stage)
		for i, rung := range s.Rungs {
			if i > 0 {
				fmt.Fprint(out, ",")
			}
			fmt.Fprintf(out, " %d trials at epoch %d", rung.Trials, rung.Epoch)
		}
		fmt.Fprintf(out, "; %d interruptions, %d crashes\n", s.Interruptions, s.Crashes)
	}
	var full simulate.InFull
	for _, s := range r.Stages {
		full.SlotHours += s.InFull.SlotHours
		full.Dollars += s.InFull.Dollars
		fmt.Fprintf(out, "%s without a scheduler: %.4g slot hours of training instead of %.4g, best F1-macro %.4f instead of %.4f\n",
			s.Stage, s.InFull.SlotHours, s.Work+s.Lost, s.InFull.F1Macro, s.Best.F1Macro)
	}
	fmt.Fprintf(out, "the same trials without a scheduler: %.4g slot hours of training, %.2f dollars\n", full.SlotHours, full.Dollars)
	switch {
	case r.Chosen != nil:
		fmt.Fprintf(out, "chosen: trial %d, F1-macro %.4f, ECE %.4f\n", r.Chosen.Trial, r.Chosen.F1Macro, r.Chosen.ECE)
	case r.Stopped != "":
		fmt.Fprintf(out, "stopped (%s) in stage %s\n", r.Stopped, r.Stages[len(r.Stages)-1].Stage)
	}
	if o.Settings.PricePerHour == 0 {
		fmt.Fprintln(out, "no dollars without a price: give --price, or price_per_hour in the study file")
	}
	return nil
}

func billCells(w io.Writer, b simulate.Bill) {
	percent := func(hours float64) float64 {
		if b.SlotHours == 0 {
			return 0
		}
		return 100 * hours / b.SlotHours
	}
	fmt.Fprintf(w, "%.4g\t%.4g\t%.1f %%\t%.1f %%\t%.1f %%\t%.2f\t\n", b.Hours, b.SlotHours,
		percent(b.Waiting), percent(b.Starting), percent(b.Lost), b.Dollars)
}
