"""Rows that break every data test of claims."""

BREAK_CLAIMS = """
insert into seeds.claims by name
    select 'graduation' as claim, 'guess' as statistic union all by name select 'unheard' as claim, 'median' as statistic;
insert into seeds.claim_bands by name select 'a' as side, 5 as min_followers, 1 as max_followers;
insert into intermediate.int_claim__tier_sides by name select 'youtube' as platform, 'nano' as tier from range(2);
insert into intermediate.int_claim__units_gathered by name
    select 'graduation' as claim, '*' as platform, 'u' as unit_id from range(2);
insert into groundswell.marts.fct_claim_check by name
    select 'graduation' as claim, '*' as platform, 'perhaps' as verdict, 'inside' as interval_side from range(2);
insert into groundswell.marts.fct_claim_side by name
    select 'nobody' as claim, '*' as platform, 'a' as side from range(2);
"""
