{#- How references are compared: codes and names freely, links and ids exactly. -#}

{#- A text as people mean it: in compatibility form (NFKC), in upper case, without blanks and what is invisible (controls,
    marks of format, fillers, selectors of a glyph's variant). -#}
{% macro normal_text(text) -%} {{ return(adapter.dispatch("normal_text")(text)) }} {%- endmacro %}

{% macro duckdb__normal_text(text) -%}
    case
        when {{ text }} is null or regexp_full_match({{ text }}, '[!-~]*') then upper({{ text }})
        else replace(upper(regexp_replace(
            {{ compatibility_form(text) }},
            '[\p{Z}\p{C}\x{34F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]',
            '', 'g'
        )), 'ẞ', 'SS')
    end
{%- endmacro %}

{% macro spark__normal_text(text) -%}
    case
        when {{ text }} is null or {{ text }} rlike '^[!-~]*$' then upper({{ text }})
        else replace(upper(regexp_replace(
            {{ compatibility_form(text) }},
            '[\p{Z}\p{C}\x{34F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]',
            ''
        )), 'ẞ', 'SS')
    end
{%- endmacro %}

{% macro compatibility_form(text) -%} {{ return(adapter.dispatch("compatibility_form")(text)) }} {%- endmacro %}

{% macro duckdb__compatibility_form(text) -%}
    {%- set known = "'" ~ compatibility_characters() ~ "'" -%}
    nfc_normalize(array_to_string(list_transform(
        regexp_extract_all(nfc_normalize({{ text }}), '(?s).'),
        lambda letter: case
            when letter <= '~' or strpos({{ known }}, chr(57344) || letter) = 0 then letter
            else split_part(substr({{ known }}, strpos({{ known }}, chr(57344) || letter) + 2), chr(57344), 1)
        end
    ), ''))
{%- endmacro %}

{#- The ICU that Spark brings knows the form itself. What calls Java may be another each time, for all that Spark knows: it
    keeps such a CTE whole, and then mixes up its columns where it is read twice with some of them (4.3.0). So no view may
    hold one (`view_of_texts`). -#}
{% macro spark__compatibility_form(text) -%}
    reflect('com.ibm.icu.text.Normalizer', 'compose', {{ text }}, true)
{%- endmacro %}

{#- How a view that puts texts in compatibility form is made: a table on Spark, which nothing looks into. -#}
{% macro view_of_texts() -%} {{ return("view" if target.type == "duckdb" else "table") }} {%- endmacro %}

{#- The promo codes of a cell, each as it is compared, joined by `|`: shops write several in one cell, between commas,
    semicolons, bars or line ends. -#}
{% macro normal_codes(cell) -%} {{ return(adapter.dispatch("normal_codes")(cell)) }} {%- endmacro %}

{% macro duckdb__normal_codes(cell) -%}
    {%- set marked = "translate(" ~ cell ~ ", '，；｜、;|' || chr(10) || chr(13) || chr(9), ',,,,,,,,,')" -%}
    nullif(trim(regexp_replace({{ normal_text(marked) }}, ',+', '|', 'g'), '|'), '')
{%- endmacro %}

{% macro spark__normal_codes(cell) -%}
    {%- set marked = "translate(" ~ cell ~ ", concat('，；｜、;|', char(10), char(13), char(9)), ',,,,,,,,,')" -%}
    nullif(trim(both '|' from regexp_replace({{ normal_text(marked) }}, ',+', '|')), '')
{%- endmacro %}
