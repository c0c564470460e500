package baseline

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable prints the scores, a line a criterion and one for all together.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "criterion\tpairs\tpositive\tbaseline F1-macro\tmajority F1-macro\t")
	for _, s := range append(r.Criteria[:len(r.Criteria):len(r.Criteria)], r.All) {
		name := s.CriterionID
		if name == "" {
			name = "all pooled"
		}
		fmt.Fprintf(t, "%s\t%d\t%.1f %%\t%.3f\t%.3f\t\n", name, s.Pairs, 100*float64(s.Positive)/float64(s.Pairs), s.F1Macro, s.Majority)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the baseline: %w", err)
	}
	folds := make([]string, len(r.Folds))
	for i, f := range r.Folds {
		folds[i] = fmt.Sprintf("%.3f", f)
	}
	if _, err := fmt.Fprintf(w, "F1-macro by fold: %s\n", strings.Join(folds, ", ")); err != nil {
		return fmt.Errorf("print the baseline: %w", err)
	}
	return nil
}
