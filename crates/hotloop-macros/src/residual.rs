//! `#[residual]` and `#[elidable]`: a function over concrete values (`Plain`) becomes one over red values,
//! which the trace calls.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{Error, FnArg, ItemFn, Pat, Result, ReturnType, Type};

/// The type with `Plain` replaced by `M`.
fn in_mode(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Ident(ident) if ident == "Plain" => TokenTree::Ident(Ident::new("M", ident.span())),
            TokenTree::Group(group) => {
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), in_mode(group.stream())))
            }
            other => other,
        })
        .collect()
}

fn mentions_plain(ty: &Type) -> bool {
    fn search(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Ident(ident) => ident == "Plain",
            TokenTree::Group(group) => search(group.stream()),
            _ => false,
        })
    }
    search(quote!(#ty))
}

pub fn expand(options: TokenStream, item: ItemFn) -> Result<TokenStream> {
    let effect = match options.to_string().as_str() {
        "" | "any" => quote!(Any),
        "elidable" => quote!(Elidable),
        "reads" => quote!(Reads),
        "writes" => quote!(Writes),
        _ => return Err(Error::new_spanned(options, "the effects are `reads`, `writes` or `any`")),
    };
    let signature = &item.sig;
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a residual function has no generics of its own",
        ));
    }
    let (name, vis, block) = (&signature.ident, &item.vis, &item.block);
    let attributes = &item.attrs;
    let (mut outer, mut words, mut inner, mut plain, mut raw) = (vec![], vec![], vec![], vec![], vec![]);
    for (index, argument) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(argument) = argument else {
            return Err(Error::new_spanned(argument, "a residual function is no method"));
        };
        let Pat::Ident(pattern) = argument.pat.as_ref() else {
            return Err(Error::new_spanned(argument, "a parameter is a name"));
        };
        let ty = &argument.ty;
        let parameter = &pattern.ident;
        let word = format_ident!("word_{index}");
        raw.push(quote!(#word: u64));
        plain.push(quote!(#argument));
        if let Type::Reference(reference) = ty.as_ref() {
            let target = &reference.elem;
            outer.push(quote!(#parameter: #ty));
            words.push(quote!(M::constant(#parameter as *const #target as u64)));
            inner.push(quote!(::hotloop::internal::reference::<#target>(#word)));
        } else if mentions_plain(ty) {
            let red = in_mode(quote!(#ty));
            outer.push(quote!(#parameter: #red));
            words.push(quote!(::hotloop::internal::Stored::<M>::into_red(#parameter)));
            inner.push(quote!(<#ty as ::hotloop::internal::Stored<::hotloop::Plain>>::from_red(#word)));
        } else {
            outer.push(quote!(#parameter: #ty));
            words.push(quote!(M::constant(::hotloop::GreenWord::to_word(#parameter))));
            inner.push(quote!(<#ty as ::hotloop::GreenWord>::from_word(#word)));
        }
    }
    let count = words.len();
    let indices = 0..count;
    let name_text = name.to_string();
    let (result, red_result) = match &signature.output {
        ReturnType::Default => (quote!(()), quote!(())),
        ReturnType::Type(_, ty) => (quote!(#ty), in_mode(quote!(#ty))),
    };
    let answer = quote!(<#result as ::hotloop::internal::Answer<::hotloop::Plain>>);
    Ok(quote! {
        #(#attributes)*
        #[inline(always)]
        #vis fn #name<M: ::hotloop::Mode>(#(#outer),*) -> #red_result {
            fn body(#(#plain),*) -> #result #block

            // A panic can't unwind through machine code: it ends the process here.
            extern "C" fn entry(#(#raw),*) -> ::hotloop::internal::Outcome {
                let (value, raised) = #answer::into_words(body(#(#inner),*));
                ::hotloop::internal::Outcome { value, raised }
            }

            static CELL: ::hotloop::internal::CallCell = ::hotloop::internal::CallCell::new(
                #name_text,
                ::hotloop::internal::Effect::#effect,
                #answer::RAISES,
                #answer::RESULT,
                || entry as *const () as usize,
            );
            let (value, raised) = M::call(&CELL, [#(#words),*], |words: [u64; #count]| entry(#(words[#indices]),*));
            <#red_result as ::hotloop::internal::Answer<M>>::from_words(value, raised)
        }
    })
}
