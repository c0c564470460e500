package preflight

import (
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Price checks that a study may have a budget, where one is given.
func Price(c *config.Study, dollars *float64) error {
	if dollars != nil && c.PricePerHour == 0 {
		return mistake.Errorf("a budget needs a price: give the study a price_per_hour, which is what one slot costs")
	}
	return nil
}

// Budget checks that a study that was begun may go on, with a budget in the place of its
// own where one is given: it must not be spent already.
func Budget(now *study.State, dollars *float64) error {
	budget, bounded := now.BudgetDollars()
	if dollars != nil {
		budget, bounded = *dollars, true
	}
	if spent := now.SpentDollars(); bounded && now.Stage() != "" && spent >= budget {
		return mistake.Errorf("study %s has spent its budget of %.2f: %.2f so far; go on with a higher one, --budget DOLLARS", now.Settings().Study, budget, spent)
	}
	return nil
}
